#define _GNU_SOURCE
#include "CLinuxNotify.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

// As many descriptors as one datagram can carry (SCM_MAX_FD in unix(7)).
enum { MOST_DESCRIPTORS = 253 };

static int bind_to(int fd, const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) return -ENAMETOOLONG;
    strcpy(address.sun_path, path);
    int on = 1;
    if (setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) < 0) return -errno;
    // What an interrupted start left.
    unlink(path);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0) return -errno;
    return chmod(path, 0666) < 0 ? -errno : 0;
}

int mooring_notify_listen(const char *temporary, const char *path) {
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return -errno;
    int failed = bind_to(fd, temporary);
    if (failed == 0 && rename(temporary, path) < 0) failed = -errno;
    if (failed == 0) return fd;
    unlink(temporary);
    close(fd);
    return failed;
}

long mooring_notify_receive(int fd, void *buffer, size_t capacity, struct mooring_sender *sender) {
    // No room for descriptors: a look at a datagram drops no file for the last time, as the queue
    // still holds them all.
    union {
        struct cmsghdr alignment;
        char bytes[CMSG_SPACE(sizeof(struct ucred))];
    } control;
    struct iovec room = {.iov_base = buffer, .iov_len = capacity};
    struct msghdr message = {
        .msg_iov = &room,
        .msg_iovlen = 1,
        .msg_control = control.bytes,
        .msg_controllen = sizeof control.bytes,
    };
    ssize_t got = recvmsg(fd, &message, MSG_DONTWAIT | MSG_PEEK);
    if (got < 0) return -errno;
    sender->pid = 0;
    sender->user = (uid_t)-1;
    sender->is_cut = (message.msg_flags & MSG_TRUNC) != 0;
    sender->has_descriptors = (message.msg_flags & MSG_CTRUNC) != 0;
    struct cmsghdr *part = CMSG_FIRSTHDR(&message);
    if (part && part->cmsg_level == SOL_SOCKET && part->cmsg_type == SCM_CREDENTIALS &&
        part->cmsg_len >= CMSG_LEN(sizeof(struct ucred))) {
        struct ucred credentials;
        memcpy(&credentials, CMSG_DATA(part), sizeof credentials);
        sender->pid = credentials.pid;
        sender->user = credentials.uid;
    }
    if (!sender->has_descriptors) recv(fd, NULL, 0, MSG_DONTWAIT);
    return got;
}

struct mooring_drop {
    int socket;
    pid_t thread;
    // 0 at first, then 1 or -errno, after which the thread looks at none of this any more.
    atomic_int outcome;
};

static int take(int socket) {
    // With a table of its own the thread leaves the closing to its exit, in which the kernel lingers
    // on no connection and waits for no answer of a file system in user space.
    if (unshare(CLONE_FILES) < 0) return -errno;
    if (socket > 0) syscall(SYS_close_range, 0U, (unsigned)socket - 1, 0U);
    syscall(SYS_close_range, (unsigned)socket + 1, ~0U, 0U);
    union {
        struct cmsghdr alignment;
        char bytes[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(MOST_DESCRIPTORS * sizeof(int))];
    } control;
    struct msghdr message = {
        .msg_control = control.bytes,
        .msg_controllen = sizeof control.bytes,
    };
    return recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) < 0 ? -errno : 1;
}

static void *run_drop(void *argument) {
    struct mooring_drop *drop = argument;
    drop->thread = (pid_t)syscall(SYS_gettid);
    atomic_store(&drop->outcome, take(drop->socket));
    return NULL;
}

static void *run_close(void *argument) {
    close((int)(intptr_t)argument);
    return NULL;
}

static int start_detached(void *(*body)(void *), void *argument) {
    pthread_attr_t attributes;
    pthread_t thread;
    int failed = pthread_attr_init(&attributes);
    if (failed != 0) return -failed;
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, 128 * 1024);
    failed = pthread_create(&thread, &attributes, body, argument);
    pthread_attr_destroy(&attributes);
    return -failed;
}

struct mooring_drop *mooring_notify_drop(int fd) {
    struct mooring_drop *drop = calloc(1, sizeof *drop);
    if (!drop) return NULL;
    drop->socket = fd;
    if (start_detached(run_drop, drop) == 0) return drop;
    free(drop);
    return NULL;
}

int mooring_drop_outcome(struct mooring_drop *drop) { return atomic_load(&drop->outcome); }

bool mooring_drop_free_if_ended(struct mooring_drop *drop) {
    // A thread that has been joined may still be closing files: only its id tells when it is gone.
    if (atomic_load(&drop->outcome) == 0) return false;
    if (syscall(SYS_tgkill, getpid(), drop->thread, 0) == 0 || errno != ESRCH) return false;
    free(drop);
    return true;
}

void mooring_notify_close(int fd) {
    // Without a thread the end of the program closes it.
    start_detached(run_close, (void *)(intptr_t)fd);
}
