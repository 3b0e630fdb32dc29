#ifndef KEYWRIGHT_CORE_VECTOR_REGISTERS_H_
#define KEYWRIGHT_CORE_VECTOR_REGISTERS_H_

namespace keywright {

// Sets the vector registers of this thread to zero. Ciphers and copies leave there what they moved,
// and a thread that then waits has it in its core image, until something else uses the registers.
// On x86-64 those are xmm0 to xmm31 in their whole width, on AArch64 v0 to v31 but for what a
// function must preserve (the low halves of v8 to v15, AAPCS64 §6.1.2); elsewhere none.
//
// To be called when the work is done; what the compiler does afterwards with secrets can bring them
// back.
void ClearVectorRegisters();

}  // namespace keywright

#endif  // KEYWRIGHT_CORE_VECTOR_REGISTERS_H_
