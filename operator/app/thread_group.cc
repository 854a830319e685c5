#include "app/thread_group.h"

#include <pthread.h>

#include <exception>

namespace roster::app {

void ThreadGroup::Start(const std::string& name, std::function<void(std::stop_token)> body) {
  running_.Lock()->insert(name);
  try {
    threads_.emplace_back([this, name, body = std::move(body)](const std::stop_token& stop) {
      Run(name, body, stop);
    });
  } catch (...) {
    auto running = running_.Lock();
    running->erase(running->find(name));
    throw;
  }
}

void ThreadGroup::Run(const std::string& name, const std::function<void(std::stop_token)>& body,
                      const std::stop_token& stop) {
  // For top, gdb and core files; the kernel keeps 15 characters.
  pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());
  try {
    body(stop);
    if (!may_end_ && !stop.stop_requested())
      callbacks_.on_crash(name, "it ended although it should not");
  } catch (const std::exception& error) {
    callbacks_.on_crash(name, error.what());
  } catch (...) {
    callbacks_.on_crash(name, "it threw what is no std::exception");
  }
  {
    auto running = running_.Lock();
    running->erase(running->find(name));
  }
  callbacks_.on_end();
}

void ThreadGroup::RequestStop() {
  for (std::jthread& thread : threads_) thread.request_stop();
}

std::vector<std::string> ThreadGroup::Running() {
  auto running = running_.Lock();
  return {running->begin(), running->end()};
}

}  // namespace roster::app
