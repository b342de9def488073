// Event sources: epoll(7), eventfd(2), signalfd(2), clocks. Thin inline wrappers that return
// -errno instead of setting errno, so that a result is one value.
#pragma once

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

// The kernel's struct epoll_event is packed on x86-64; this is what Swift sees of one.
struct mooring_event {
    uint64_t data;
    uint32_t events;
};

enum {
    MOORING_IN = EPOLLIN,
    MOORING_OUT = EPOLLOUT,
    MOORING_ERR = EPOLLERR,
    MOORING_HUP = EPOLLHUP,
    MOORING_RDHUP = EPOLLRDHUP,
};
#define MOORING_EDGE ((uint32_t)1 << 31)

static inline int mooring_epoll_create(void) {
    int fd = epoll_create1(EPOLL_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

static inline int mooring_epoll_control(int epoll, int op, int fd, uint32_t events, uint64_t data) {
    struct epoll_event event = {.events = events, .data = {.u64 = data}};
    return epoll_ctl(epoll, op, fd, &event) < 0 ? -errno : 0;
}
static inline int mooring_epoll_add(int epoll, int fd, uint32_t events, uint64_t data) {
    return mooring_epoll_control(epoll, EPOLL_CTL_ADD, fd, events, data);
}
static inline int mooring_epoll_modify(int epoll, int fd, uint32_t events, uint64_t data) {
    return mooring_epoll_control(epoll, EPOLL_CTL_MOD, fd, events, data);
}
static inline int mooring_epoll_remove(int epoll, int fd) {
    return mooring_epoll_control(epoll, EPOLL_CTL_DEL, fd, 0, 0);
}

// Fills at most `capacity` (up to 256) events; a signal in between counts as none. A negative timeout
// has no end.
int mooring_epoll_wait(
    int epoll, struct mooring_event *events, int capacity, int64_t timeout_ns);

static inline int mooring_eventfd(void) {
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return fd < 0 ? -errno : fd;
}
static inline void mooring_eventfd_wake(int fd) {
    uint64_t one = 1;
    // EAGAIN means that the counter is full, so the reader is going to wake anyway.
    (void)!write(fd, &one, sizeof one);
}
static inline void mooring_eventfd_clear(int fd) {
    uint64_t count;
    (void)!read(fd, &count, sizeof count);
}

static inline int64_t mooring_monotonic_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}
static inline int64_t mooring_wall_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

// Blocks the signals in every thread that starts later and returns a descriptor that reads them.
int mooring_signalfd(const int *signals, int count);
// The next signal number, or 0 when none is waiting.
int mooring_signalfd_next(int fd);
// Writes to a closed peer are errors, not signals.
void mooring_ignore_sigpipe(void);

// Fills the buffer from getrandom(2); 0 or -errno.
int mooring_random(void *buffer, size_t count);

// Names the calling thread for ps(1) and debuggers; at most 15 bytes.
void mooring_name_thread(const char *name);

// Returns the memory that malloc(3) holds but does not use to the system.
void mooring_trim_heap(void);
