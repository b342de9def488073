#define _GNU_SOURCE
#include "CLinuxEvents.h"

#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <time.h>

// In milliseconds, rounded up, so that a time less than one away does not spin.
static int coarse_wait(int epoll, struct epoll_event *native, int capacity, int64_t timeout_ns) {
    int64_t most = 3600000;
    int64_t ms = timeout_ns / 1000000 + (timeout_ns % 1000000 != 0);
    return epoll_wait(epoll, native, capacity, timeout_ns < 0 ? -1 : (int)(ms < most ? ms : most));
}

// To the nanosecond where the kernel has it (Linux 5.11) and no filter of system calls forbids it.
static int fine_wait(int epoll, struct epoll_event *native, int capacity, int64_t timeout_ns) {
#ifdef SYS_epoll_pwait2
    static atomic_bool is_missing;
    if (!atomic_load_explicit(&is_missing, memory_order_relaxed)) {
        struct timespec timeout = {timeout_ns / 1000000000, timeout_ns % 1000000000};
        int count = (int)syscall(
            SYS_epoll_pwait2, epoll, native, capacity, timeout_ns < 0 ? NULL : &timeout, NULL, 0);
        if (count >= 0 || (errno != ENOSYS && errno != EPERM)) return count;
        atomic_store_explicit(&is_missing, true, memory_order_relaxed);
    }
#endif
    return coarse_wait(epoll, native, capacity, timeout_ns);
}

int mooring_epoll_wait(
    int epoll, struct mooring_event *events, int capacity, int64_t timeout_ns) {
    struct epoll_event native[256];
    if (capacity > 256) capacity = 256;
    int count = fine_wait(epoll, native, capacity, timeout_ns);
    if (count < 0) return errno == EINTR ? 0 : -errno;
    for (int i = 0; i < count; i++) {
        events[i].data = native[i].data.u64;
        events[i].events = native[i].events;
    }
    return count;
}

int mooring_signalfd(const int *signals, int count) {
    sigset_t set;
    sigemptyset(&set);
    for (int i = 0; i < count; i++) sigaddset(&set, signals[i]);
    int failed = pthread_sigmask(SIG_BLOCK, &set, NULL);
    if (failed) return -failed;
    int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return fd < 0 ? -errno : fd;
}

int mooring_signalfd_next(int fd) {
    struct signalfd_siginfo info;
    ssize_t got = read(fd, &info, sizeof info);
    return got == sizeof info ? (int)info.ssi_signo : 0;
}

void mooring_ignore_sigpipe(void) { signal(SIGPIPE, SIG_IGN); }

int mooring_random(void *buffer, size_t count) {
    unsigned char *bytes = buffer;
    while (count > 0) {
        ssize_t got = getrandom(bytes, count, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return -errno;
        bytes += got;
        count -= (size_t)got;
    }
    return 0;
}

void mooring_name_thread(const char *name) { pthread_setname_np(pthread_self(), name); }

void mooring_trim_heap(void) { malloc_trim(0); }
