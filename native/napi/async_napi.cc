#include <algorithm>
#include <optional>
#include <utility>

#include "core/aead.h"
#include "core/batch.h"
#include "core/data_key_pair.h"
#include "core/import_key.h"
#include "core/key_agreement.h"
#include "core/key_pair_codec.h"
#include "core/public_encryption.h"
#include "core/signature.h"
#include "core/thread_contexts.h"
#include "napi/arguments.h"
#include "napi/async_task.h"
#include "napi/functions.h"

namespace keywright {
namespace {

AsyncOutcome Failed(Status status) { return {.status = status, .key = {}, .outputs = {}}; }

AsyncOutcome Made(Result<KeyPtr> key) {
  return key.ok() ? AsyncOutcome{.key = std::move(key).value(), .outputs = {}}
                  : Failed(key.status());
}

AsyncOutcome Gave(PrivateBuffer output) {
  AsyncOutcome outcome;
  outcome.outputs.push_back(std::move(output));
  return outcome;
}

AsyncOutcome Gave(Result<PrivateBuffer> output) {
  return output.ok() ? Gave(std::move(output).value()) : Failed(output.status());
}

// Of an output that lies in the secure heap.
AsyncOutcome GaveCopyOf(const Result<SecureBuffer>& output) {
  return output.ok() ? Gave(PrivateBuffer::CopyOf(output.value().bytes()))
                     : Failed(output.status());
}

// The output of `write`, which has room for `largest` bytes and answers how many it wrote.
template <typename Write>
AsyncOutcome WriteUpTo(std::size_t largest, Write write) {
  Result<PrivateBuffer> out = PrivateBuffer::Allocate(largest);
  if (!out.ok()) {
    return Failed(out.status());
  }
  const Result<std::size_t> length = write(out.value().bytes());
  if (!length.ok()) {
    return Failed(length.status());
  }
  out.value().Truncate(length.value());
  return Gave(std::move(out));
}

// A copy of an input, taken before the thread changes. Wiped with the work.
struct Input {
  PrivateBuffer buffer;
  Bytes bytes() const { return buffer.bytes(); }
};

// For std::function, which copies.
using SharedInput = std::shared_ptr<const Input>;

Result<SharedInput> Keep(Bytes bytes) {
  auto input = std::make_shared<Input>();
  Result<PrivateBuffer> copy = PrivateBuffer::CopyOf(bytes);
  if (!copy.ok()) {
    return copy.status();
  }
  input->buffer = std::move(copy).value();
  return SharedInput(std::move(input));
}

// Of work with a private key. That of RSA, and making such a key, takes milliseconds and more.
TaskLength LengthOf(KeyType type) {
  const bool is_rsa =
      type == KeyType::kRsa2048 || type == KeyType::kRsa3072 || type == KeyType::kRsa4096;
  return is_rsa ? TaskLength::kLong : TaskLength::kShort;
}

// (type)
AsyncStart GenerateKeyPairAsync(Arguments& arguments) {
  const auto type = arguments.KeyTypeAt(0);
  if (!arguments.ok() || !type || !IsAsymmetric(*type)) {
    return {Status::kInvalidArgument};
  }
  return {Status::kOk, StartAsync(arguments, LengthOf(*type),
                                  [type = *type] { return Made(GenerateKeyPair(type)); })};
}

// (key, algorithm, messageType, message): [signature]
AsyncStart SignAsync(Arguments& arguments) {
  const auto algorithm = SignatureAlgorithmFromNumber(arguments.NumberAt(1));
  const auto message_type = MessageTypeFromNumber(arguments.NumberAt(2));
  const Bytes message = arguments.BytesAt(3);
  KeyPtr key = arguments.SharedKeyAt(0);
  if (!arguments.ok() || !algorithm || !message_type) {
    return {Status::kInvalidArgument};
  }
  if (!key) {
    return {Status::kDestroyedKey};
  }
  Result<SharedInput> input = Keep(message);
  if (!input.ok()) {
    return {input.status()};
  }
  const TaskLength length = LengthOf(key->type());
  return {Status::kOk, StartAsync(arguments, length,
                                  [key = std::move(key), algorithm = *algorithm,
                                   message_type = *message_type, input = input.value()] {
                                    return WriteUpTo(SignatureRoom(*key), [&](MutableBytes out) {
                                      return Sign(*key, algorithm, message_type, input->bytes(),
                                                  out);
                                    });
                                  })};
}

// (key, algorithm, ciphertext): [plaintext]
AsyncStart PrivateDecryptAsync(Arguments& arguments) {
  const auto algorithm = EncryptionAlgorithmFromNumber(arguments.NumberAt(1));
  const Bytes ciphertext = arguments.BytesAt(2);
  KeyPtr key = arguments.SharedKeyAt(0);
  if (!arguments.ok() || !algorithm || ciphertext.size() > kMaxDataBytes) {
    return {Status::kInvalidArgument};
  }
  if (!key) {
    return {Status::kDestroyedKey};
  }
  Result<SharedInput> input = Keep(ciphertext);
  if (!input.ok()) {
    return {input.status()};
  }
  const TaskLength length = LengthOf(key->type());
  return {Status::kOk,
          StartAsync(arguments, length,
                     [key = std::move(key), algorithm = *algorithm, input = input.value()] {
                       return GaveCopyOf(PrivateDecrypt(*key, algorithm, input->bytes()));
                     })};
}

// (key, algorithm, messageType, message, signature): 1 or 0
AsyncStart VerifyAsync(Arguments& arguments) {
  const auto algorithm = SignatureAlgorithmFromNumber(arguments.NumberAt(1));
  const auto message_type = MessageTypeFromNumber(arguments.NumberAt(2));
  const Bytes message = arguments.BytesAt(3);
  const Bytes signature = arguments.BytesAt(4);
  KeyPtr key = arguments.SharedKeyAt(0);
  if (!arguments.ok() || !algorithm || !message_type) {
    return {Status::kInvalidArgument};
  }
  if (!key) {
    return {Status::kDestroyedKey};
  }
  Result<SharedInput> kept_message = Keep(message);
  // No signature is longer; whatever is cut off one that is too long, it stays too long.
  Result<SharedInput> kept_signature =
      Keep(signature.first(std::min(signature.size(), kMaxSignatureBytes + 1)));
  if (!kept_message.ok() || !kept_signature.ok()) {
    return {Status::kOutOfSecureMemory};
  }
  return {Status::kOk,
          StartAsync(arguments, TaskLength::kShort,
                     [key = std::move(key), algorithm = *algorithm, message_type = *message_type,
                      input = kept_message.value(), signed_by = kept_signature.value()] {
                       const Result<bool> is_valid = Verify(*key, algorithm, message_type,
                                                            input->bytes(), signed_by->bytes());
                       return is_valid.ok() ? AsyncOutcome{.key = {},
                                                           .written = is_valid.value() ? 1U : 0U,
                                                           .outputs = {}}
                                            : Failed(is_valid.status());
                     })};
}

// (key, algorithm, plaintext): [ciphertext]
AsyncStart PublicEncryptAsync(Arguments& arguments) {
  const auto algorithm = EncryptionAlgorithmFromNumber(arguments.NumberAt(1));
  const Bytes plaintext = arguments.BytesAt(2);
  KeyPtr key = arguments.SharedKeyAt(0);
  if (!arguments.ok() || !algorithm || plaintext.size() > kMaxDataBytes) {
    return {Status::kInvalidArgument};
  }
  if (!key) {
    return {Status::kDestroyedKey};
  }
  Result<SharedInput> input = Keep(plaintext);
  if (!input.ok()) {
    return {input.status()};
  }
  return {Status::kOk,
          StartAsync(arguments, TaskLength::kShort,
                     [key = std::move(key), algorithm = *algorithm, input = input.value()] {
                       return WriteUpTo(PublicCiphertextRoom(*key), [&](MutableBytes out) {
                         return PublicEncrypt(*key, algorithm, input->bytes(), out);
                       });
                     })};
}

// (key, peerSpki): [sharedSecret]
AsyncStart EcdhAsync(Arguments& arguments) {
  const Bytes peer = arguments.BytesAt(1);
  KeyPtr key = arguments.SharedKeyAt(0);
  if (!arguments.ok() || peer.size() > kMaxDataBytes) {
    return {Status::kInvalidArgument};
  }
  if (!key) {
    return {Status::kDestroyedKey};
  }
  Result<SharedInput> input = Keep(peer);
  if (!input.ok()) {
    return {input.status()};
  }
  return {Status::kOk,
          StartAsync(arguments, TaskLength::kShort, [key = std::move(key), input = input.value()] {
            return WriteUpTo(kMaxSharedSecretBytes,
                             [&](MutableBytes out) { return Ecdh(*key, input->bytes(), out); });
          })};
}

// (key): [sharedSecret, ciphertext]
AsyncStart EncapsulateAsync(Arguments& arguments) {
  KeyPtr key = arguments.SharedKeyAt(0);
  if (!arguments.ok()) {
    return {Status::kInvalidArgument};
  }
  if (!key) {
    return {Status::kDestroyedKey};
  }
  const std::size_t length = KemCiphertextBytes(key->type());
  if (length == 0) {
    return {Status::kWrongKeyType};
  }
  return {Status::kOk, StartAsync(arguments, TaskLength::kShort, [key = std::move(key), length] {
            Result<PrivateBuffer> secret = PrivateBuffer::Allocate(kKemSecretBytes);
            Result<PrivateBuffer> ciphertext = PrivateBuffer::Allocate(length);
            if (!secret.ok() || !ciphertext.ok()) {
              return Failed(Status::kOutOfSecureMemory);
            }
            const Status status =
                Encapsulate(*key, secret.value().bytes(), ciphertext.value().bytes());
            if (status != Status::kOk) {
              return Failed(status);
            }
            AsyncOutcome outcome = Gave(std::move(secret));
            outcome.outputs.push_back(std::move(ciphertext).value());
            return outcome;
          })};
}

// (key, ciphertext): [sharedSecret]
AsyncStart DecapsulateAsync(Arguments& arguments) {
  const Bytes ciphertext = arguments.BytesAt(1);
  KeyPtr key = arguments.SharedKeyAt(0);
  if (!arguments.ok()) {
    return {Status::kInvalidArgument};
  }
  if (!key) {
    return {Status::kDestroyedKey};
  }
  Result<SharedInput> input = Keep(ciphertext);
  if (!input.ok()) {
    return {input.status()};
  }
  return {Status::kOk,
          StartAsync(arguments, TaskLength::kShort, [key = std::move(key), input = input.value()] {
            Result<PrivateBuffer> secret = PrivateBuffer::Allocate(kKemSecretBytes);
            if (!secret.ok()) {
              return Failed(secret.status());
            }
            const Status status = Decapsulate(*key, input->bytes(), secret.value().bytes());
            return status == Status::kOk ? Gave(std::move(secret)) : Failed(status);
          })};
}

TaskLength LengthOf(BatchOperation operation, KeyType type) {
  const bool is_private =
      operation == BatchOperation::kSign || operation == BatchOperation::kPrivateDecrypt;
  return is_private ? LengthOf(type) : TaskLength::kShort;
}

// (key, operation, algorithm, messageType, data, ends, otherData, otherEnds): [data, ends,
// statuses]
AsyncStart BatchAsync(Arguments& arguments) {
  const auto operation = BatchOperationFromNumber(arguments.NumberAt(1));
  const std::uint32_t algorithm = arguments.NumberAt(2);
  const std::uint32_t message_type = arguments.NumberAt(3);
  const PackedItems items{arguments.BytesAt(4), arguments.Uint32ArrayAt(5)};
  const PackedItems others{arguments.BytesAt(6), arguments.Uint32ArrayAt(7)};
  const KeyPtr key = arguments.SharedKeyAt(0);
  if (!arguments.ok() || !operation) {
    return {Status::kInvalidArgument};
  }
  if (!key) {
    return {Status::kDestroyedKey};
  }
  Result<std::shared_ptr<Batch>> batch =
      Batch::Make(key, {*operation, algorithm, message_type}, items, others);
  if (!batch.ok()) {
    return {batch.status()};
  }
  return {Status::kOk,
          StartBatch(arguments, LengthOf(*operation, key->type()), std::move(batch).value())};
}

// (wrappingKey, algorithm, wrapped, type, length)
AsyncStart UnwrapImportedAsync(Arguments& arguments) {
  const auto algorithm = WrappingAlgorithmFromNumber(arguments.NumberAt(1));
  const Bytes wrapped = arguments.BytesAt(2);
  const auto type = arguments.KeyTypeAt(3);
  const std::size_t length = arguments.NumberAt(4);
  KeyPtr key = arguments.SharedKeyAt(0);
  if (!arguments.ok() || !algorithm || !type) {
    return {Status::kInvalidArgument};
  }
  if (!key) {
    return {Status::kDestroyedKey};
  }
  Result<SharedInput> input = Keep(wrapped);
  if (!input.ok()) {
    return {input.status()};
  }
  return {Status::kOk,
          StartAsync(arguments, TaskLength::kLong,
                     [key = std::move(key), algorithm = *algorithm, input = input.value(),
                      type = *type, length] {
                       return Made(UnwrapImported(*key, algorithm, input->bytes(), type, length));
                     })};
}

AsyncOutcome MakeDataKeyPair(const Key& key, Bytes header, Bytes context, KeyType type) {
  Result<DataKeyPair> result = GenerateDataKeyPair(key, header, context, type);
  if (!result.ok()) {
    return Failed(result.status());
  }
  const DataKeyPair& pair = result.value();
  Result<PrivateBuffer> public_key = PrivateBuffer::CopyOf(pair.public_key);
  Result<PrivateBuffer> blob = PrivateBuffer::CopyOf(pair.blob);
  Result<PrivateBuffer> private_key = PrivateBuffer::CopyOf(pair.private_key.bytes());
  if (!public_key.ok() || !private_key.ok() || !blob.ok()) {
    return Failed(Status::kOutOfSecureMemory);
  }
  AsyncOutcome outcome = Gave(std::move(public_key));
  outcome.outputs.push_back(std::move(private_key).value());
  outcome.outputs.push_back(std::move(blob).value());
  return outcome;
}

// (key, header, context, type): [publicKey, privateKey, blob]
AsyncStart GenerateDataKeyPairAsync(Arguments& arguments) {
  const Bytes header = arguments.BytesAt(1);
  const Bytes context = arguments.BytesAt(2);
  const auto type = arguments.KeyTypeAt(3);
  KeyPtr key = arguments.SharedKeyAt(0);
  if (!arguments.ok() || !type) {
    return {Status::kInvalidArgument};
  }
  if (!key) {
    return {Status::kDestroyedKey};
  }
  Result<SharedInput> kept_header = Keep(header);
  Result<SharedInput> kept_context = Keep(context);
  if (!kept_header.ok() || !kept_context.ok()) {
    return {Status::kOutOfSecureMemory};
  }
  return {Status::kOk, StartAsync(arguments, TaskLength::kLong,
                                  [key = std::move(key), header = kept_header.value(),
                                   context = kept_context.value(), type = *type] {
                                    return MakeDataKeyPair(*key, header->bytes(), context->bytes(),
                                                           type);
                                  })};
}

using Aead = Status (*)(const Key&, Bytes, Bytes, MutableBytes);

// (key, data, aad, out, outOffset): bytes written. Data and output stay where they are in
// JavaScript memory, which the caller leaves alone meanwhile.
template <Aead kAead, std::ptrdiff_t kGrowth>
AsyncStart AeadIntoAsync(Arguments& arguments) {
  const Bytes data = arguments.BytesAt(1);
  const Bytes aad = arguments.BytesAt(2);
  const MutableBytes out = arguments.WritableAt(3);
  const std::size_t offset = arguments.NumberAt(4);
  KeyPtr key = arguments.SharedKeyAt(0);
  if (!arguments.ok()) {
    return {Status::kInvalidArgument};
  }
  if (!key) {
    return {Status::kDestroyedKey};
  }
  const Result<MutableBytes> region = RegionOf(out, offset, ResultSize(data.size(), kGrowth));
  if (!region.ok()) {
    return {region.status()};
  }
  Result<SharedInput> kept_aad = Keep(aad);
  if (!kept_aad.ok()) {
    return {kept_aad.status()};
  }
  return {Status::kOk,
          StartAsync(arguments, TaskLength::kLong,
                     [key = std::move(key), data, aad = kept_aad.value(), result = region.value()] {
                       const Status status = kAead(*key, data, aad->bytes(), result);
                       // The key may be destroyed while this thread of the pool sleeps.
                       ThreadContexts::Forget(key->type(), key->id());
                       return status == Status::kOk
                                  ? AsyncOutcome{.key = {}, .written = result.size(), .outputs = {}}
                                  : Failed(status);
                     },
                     {arguments.ValueAt(1), arguments.ValueAt(3)})};
}

constexpr auto kOverhead = static_cast<std::ptrdiff_t>(kAeadOverheadBytes);

constexpr NamedFunction kFunctions[] = {
    {"generateKeyPairAsync", CallAsync<GenerateKeyPairAsync>},
    {"signAsync", CallAsync<SignAsync>},
    {"verifyAsync", CallAsync<VerifyAsync>},
    {"publicEncryptAsync", CallAsync<PublicEncryptAsync>},
    {"ecdhAsync", CallAsync<EcdhAsync>},
    {"privateDecryptAsync", CallAsync<PrivateDecryptAsync>},
    {"encapsulateAsync", CallAsync<EncapsulateAsync>},
    {"decapsulateAsync", CallAsync<DecapsulateAsync>},
    {"batchAsync", CallAsync<BatchAsync>},
    {"unwrapImportedAsync", CallAsync<UnwrapImportedAsync>},
    {"generateDataKeyPairAsync", CallAsync<GenerateDataKeyPairAsync>},
    {"encryptIntoAsync", CallAsync<AeadIntoAsync<AeadEncrypt, kOverhead>>},
    {"decryptIntoAsync", CallAsync<AeadIntoAsync<AeadDecrypt, -kOverhead>>},
};

}  // namespace

std::span<const NamedFunction> AsyncFunctions() { return kFunctions; }

}  // namespace keywright
