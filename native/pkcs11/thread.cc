#include "pkcs11/thread.h"

#include <csignal>
#include <memory>
#include <utility>

#include "core/vector_registers.h"

namespace keywright::pkcs11 {
namespace {

void* Run(void* data) {
  // What is in them comes from the thread that started this one, and may be a key or the PIN.
  ClearVectorRegisters();
  const std::unique_ptr<std::function<void()>> run(static_cast<std::function<void()>*>(data));
  (*run)();
  return nullptr;
}

}  // namespace

bool Thread::Start(std::function<void()> run) {
  auto start = std::make_unique<std::function<void()>>(std::move(run));
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  is_started_ = pthread_create(&id_, nullptr, Run, start.get()) == 0;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (is_started_) {
    static_cast<void>(start.release());  // Run takes it back
  }
  return is_started_;
}

void Thread::Join() {
  if (is_started_) {
    pthread_join(id_, nullptr);
    is_started_ = false;
  }
}

void Thread::Detach() {
  if (is_started_) {
    pthread_detach(id_);
    is_started_ = false;
  }
}

}  // namespace keywright::pkcs11
