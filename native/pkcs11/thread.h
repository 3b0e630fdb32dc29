#ifndef KEYWRIGHT_PKCS11_THREAD_H_
#define KEYWRIGHT_PKCS11_THREAD_H_

#include <pthread.h>

#include <functional>

namespace keywright::pkcs11 {

// A thread that takes no signals, which are for the host's own threads. Unlike std::thread it says
// that it could not start instead of ending the process.
class Thread {
 public:
  Thread() = default;
  Thread(const Thread&) = delete;
  Thread& operator=(const Thread&) = delete;
  // One that was neither joined nor detached goes on by itself.
  ~Thread() { Detach(); }

  bool Start(std::function<void()> run);
  // Waits for its end, that of its thread-local objects included.
  void Join();
  void Detach();

 private:
  pthread_t id_{};
  bool is_started_ = false;
};

}  // namespace keywright::pkcs11

#endif  // KEYWRIGHT_PKCS11_THREAD_H_
