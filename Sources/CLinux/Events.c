#define _GNU_SOURCE
#include "CLinuxEvents.h"

#include <malloc.h>
#include <pthread.h>
#include <sys/random.h>

int mooring_epoll_wait(int epoll, struct mooring_event *events, int capacity, int timeout_ms) {
    struct epoll_event native[256];
    if (capacity > 256) capacity = 256;
    int count = epoll_wait(epoll, native, capacity, timeout_ms);
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
