#define _GNU_SOURCE
#include "CLinuxGuardian.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CAPACITY = 1 << 16, GRACE_MS = 500, KERNEL_SIGSET = 8 };
enum operation { ADD, REMOVE };

struct order {
    int32_t operation;
    int32_t leader;
};

struct ward {
    pid_t leader;
    int pidfd;
    int cgroup_kill;
};

// The guardian's side is forked from a program with many threads and never executes another one, so
// it may call nothing that takes a lock: raw system calls only, no memory of the C library's.
#define RAW __attribute__((no_sanitize("address", "thread")))

RAW static int64_t now_ms(void) {
    struct timespec now = {0};
    syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

RAW static void release(struct ward *ward) {
    syscall(SYS_close, ward->pidfd);
    if (ward->cgroup_kill >= 0) syscall(SYS_close, ward->cgroup_kill);
}

RAW static void end_now(struct ward *ward) {
    syscall(SYS_kill, -ward->leader, SIGKILL);
    if (ward->cgroup_kill >= 0) (void)!syscall(SYS_write, ward->cgroup_kill, "1", 1);
    release(ward);
}

// The leader has ended: it is a zombie, or has been reaped by init.
RAW static bool has_ended(const struct ward *ward, struct pollfd *room) {
    struct timespec none = {0};
    room->fd = ward->pidfd;
    room->events = POLLIN;
    return syscall(SYS_ppoll, room, 1, &none, NULL, KERNEL_SIGSET) > 0;
}

// The parent is gone. A leader that had ended before is left out, since its number may belong to
// another process by now; its group was killed before it was reaped.
RAW static void end_all(struct ward *wards, int count, struct pollfd *polls) {
    int left = 0;
    for (int i = 0; i < count; i++) {
        if (has_ended(&wards[i], polls)) {
            if (wards[i].cgroup_kill >= 0) {
                (void)!syscall(SYS_write, wards[i].cgroup_kill, "1", 1);
            }
            release(&wards[i]);
            continue;
        }
        syscall(SYS_kill, -wards[i].leader, SIGTERM);
        // One that is suspended would not see it.
        syscall(SYS_kill, -wards[i].leader, SIGCONT);
        wards[left++] = wards[i];
    }
    int64_t until = now_ms() + GRACE_MS;
    while (left > 0) {
        int64_t patience = until - now_ms();
        if (patience <= 0) break;
        struct timespec wait = {patience / 1000, patience % 1000 * 1000000};
        for (int i = 0; i < left; i++) {
            polls[i] = (struct pollfd){.fd = wards[i].pidfd, .events = POLLIN};
        }
        if (syscall(SYS_ppoll, polls, (unsigned long)left, &wait, NULL, KERNEL_SIGSET) <= 0) break;
        int kept = 0;
        for (int i = 0; i < left; i++) {
            // Its process group may outlive it, and then keeps the number from being reused.
            if (polls[i].revents != 0) end_now(&wards[i]);
            else wards[kept++] = wards[i];
        }
        left = kept;
    }
    for (int i = 0; i < left; i++) end_now(&wards[i]);
}

// The next order with its descriptors; false when the parent is gone.
RAW static bool receive(int socket, struct order *order, int fds[2]) {
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(2 * sizeof(int))];
    } control;
    struct iovec piece = {order, sizeof *order};
    fds[0] = fds[1] = -1;
    while (true) {
        struct msghdr message = {.msg_iov = &piece,
                                 .msg_iovlen = 1,
                                 .msg_control = control.room,
                                 .msg_controllen = sizeof control.room};
        long got = syscall(SYS_recvmsg, socket, &message, MSG_CMSG_CLOEXEC);
        if (got == -1 && errno == EINTR) continue;
        if (got != (long)sizeof *order) return false;
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        if (header != NULL && header->cmsg_level == SOL_SOCKET &&
            header->cmsg_type == SCM_RIGHTS) {
            int *sent = (int *)(void *)CMSG_DATA(header);
            fds[0] = sent[0];
            if (header->cmsg_len >= CMSG_LEN(2 * sizeof(int))) fds[1] = sent[1];
        }
        return true;
    }
}

RAW static int find(const struct ward *wards, int count, pid_t leader) {
    for (int i = 0; i < count; i++) {
        if (wards[i].leader == leader) return i;
    }
    return -1;
}

RAW static void guard(int socket, struct ward *wards, struct pollfd *polls) {
    int count = 0;
    struct order order;
    int fds[2];
    while (receive(socket, &order, fds)) {
        int place = find(wards, count, order.leader);
        if (place >= 0) {
            release(&wards[place]);
            wards[place] = wards[--count];
        }
        if (order.operation == ADD && order.leader > 1 && fds[0] >= 0 && count < CAPACITY) {
            wards[count++] = (struct ward){order.leader, fds[0], fds[1]};
        }
    }
    end_all(wards, count, polls);
}

RAW static void become_guardian(int socket, struct ward *wards, struct pollfd *polls) {
    syscall(SYS_setsid);
    // Only the exit of its parent ends it: not a terminal, nor pkill by the program's name.
    syscall(SYS_prctl, PR_SET_NAME, "moor-guard", 0, 0, 0);
    syscall(SYS_dup3, socket, 3, O_CLOEXEC);
    // Standard output and error too: a reader of the parent's waits for their end.
    for (int fd = 0; fd < 3; fd++) syscall(SYS_close, fd);
    syscall(SYS_close_range, 4U, ~0U, 0U);
    uint64_t limit[2];
    if (syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, NULL, limit) == 0) {
        limit[0] = limit[1];
        syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, limit, NULL);
    }
    guard(3, wards, polls);
    syscall(SYS_exit_group, 0);
}

static void *room(size_t size) {
    // Touched as far as it is used.
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

struct mooring_guardian mooring_guardian_start(void) {
    struct mooring_guardian guardian = {0, -ENOMEM};
    size_t wards_size = CAPACITY * sizeof(struct ward);
    size_t polls_size = CAPACITY * sizeof(struct pollfd);
    struct ward *wards = room(wards_size);
    struct pollfd *polls = room(polls_size);
    int ends[2];
    if (wards != NULL && polls != NULL) {
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) {
            guardian.socket = -errno;
        } else {
            unsigned long all = ~0UL, before = 0;
            syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before, KERNEL_SIGSET);
            pid_t pid = _Fork();
            if (pid == 0) become_guardian(ends[1], wards, polls);
            int code = errno;
            syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, KERNEL_SIGSET);
            close(ends[1]);
            if (pid > 0) {
                guardian.pid = pid;
                guardian.socket = ends[0];
            } else {
                close(ends[0]);
                guardian.socket = -code;
            }
        }
    }
    if (wards != NULL) munmap(wards, wards_size);
    if (polls != NULL) munmap(polls, polls_size);
    return guardian;
}

static int tell(int socket, struct order order, const int *fds, size_t count) {
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(2 * sizeof(int))];
    } control;
    struct iovec piece = {&order, sizeof order};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
    if (count > 0) {
        memset(&control, 0, sizeof control);
        message.msg_control = control.room;
        message.msg_controllen = CMSG_SPACE(count * sizeof(int));
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(count * sizeof(int));
        memcpy(CMSG_DATA(header), fds, count * sizeof(int));
    }
    while (sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
        if (errno != EINTR) return -errno;
    }
    return 0;
}

int mooring_guardian_add(int socket, pid_t leader, int pidfd, int cgroup_kill) {
    int fds[2] = {pidfd, cgroup_kill};
    return tell(socket, (struct order){ADD, leader}, fds, cgroup_kill >= 0 ? 2 : 1);
}

int mooring_guardian_remove(int socket, pid_t leader) {
    return tell(socket, (struct order){REMOVE, leader}, NULL, 0);
}

void mooring_guardian_dismiss(struct mooring_guardian guardian) {
    // Before it can see that its socket has ended.
    kill(guardian.pid, SIGKILL);
    close(guardian.socket);
    while (waitpid(guardian.pid, NULL, 0) < 0 && errno == EINTR) continue;
}
