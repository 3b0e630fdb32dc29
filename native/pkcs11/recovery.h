#ifndef KEYWRIGHT_PKCS11_RECOVERY_H_
#define KEYWRIGHT_PKCS11_RECOVERY_H_

#include <chrono>
#include <optional>

#include "pkcs11/profile.h"
#include "pkcs11/request.h"

namespace keywright::pkcs11 {

// What is gone, and has to be had again before a request can be repeated. One table in recovery.cc
// says it for every return value.
enum class Loss {
  // Nothing: the answer is about the request itself.
  kNothing,
  // Handles of objects: the keys are looked for again.
  kHandle,
  // The session, or its state: another one is opened.
  kSession,
  // The login: it is repeated, once for all sessions.
  kLogin,
  // The token: its slot is looked for again, all sessions are opened again.
  kToken,
  // The module was finalised by somebody else: it is initialised again.
  kModule,
  // The device has trouble, and what it did is unknown.
  kDevice,
  // There are as many sessions as the token allows: one thread less for a while.
  kSessionCount,
};

Loss LossOf(const Failure& failure);

// Whether the request may be repeated after `loss`. After trouble of the device nobody knows what
// the token did, so what makes or destroys keys is not repeated. Nor is what makes a key when an
// attempt left one behind (`has_changed`), which would stand in its own way; the rest of a key can
// still be destroyed.
bool MayRepeat(Loss loss, Operation operation, bool has_changed = false);

// Whether the request makes an object that dies with the session that made it.
bool MakesSessionObject(const Request& request);

// Whether the request searches the token for more than the keys that it names. Without a login a
// search finds less, and says nothing of it.
bool SearchesByItself(Operation operation);

// Whether a login that ended meanwhile may be why the answer is what it is: searches find less
// then, and SoftHSM says of keys that it can no longer read what it says of a wrong ciphertext.
bool MayBeForWantOfLogin(Operation operation, const Reply& reply, const Profile& profile);

// How long to wait before attempt number `attempt` (the first repetition is 1); nothing when the
// request has failed for good.
std::optional<std::chrono::milliseconds> DelayBefore(Loss loss, unsigned attempt);

// How long to wait before the token is probed for the n-th time (from 0) while the circuit is open.
std::chrono::milliseconds DelayBeforeProbe(unsigned probes);

}  // namespace keywright::pkcs11

#endif  // KEYWRIGHT_PKCS11_RECOVERY_H_
