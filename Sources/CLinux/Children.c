#define _GNU_SOURCE
#include "CLinuxSpawn.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

int mooring_wait_peek(int pidfd, struct mooring_exit *ended) {
    siginfo_t info;
    memset(&info, 0, sizeof info);
    if (waitid((idtype_t)P_PIDFD, (id_t)pidfd, &info, WEXITED | WNOHANG | WNOWAIT) < 0) {
        return -errno;
    }
    if (info.si_pid == 0) return 0;
    bool exited = info.si_code == CLD_EXITED;
    ended->status = exited ? info.si_status : 0;
    ended->signal = exited ? 0 : info.si_status;
    ended->core_dumped = info.si_code == CLD_DUMPED;
    return 1;
}

static int reap(idtype_t kind, id_t id) {
    siginfo_t info;
    memset(&info, 0, sizeof info);
    if (waitid(kind, id, &info, WEXITED | WNOHANG) < 0) return -errno;
    return info.si_pid == 0 ? 0 : 1;
}
int mooring_wait_reap(int pidfd) { return reap((idtype_t)P_PIDFD, (id_t)pidfd); }
int mooring_wait_reap_pid(pid_t pid) { return reap(P_PID, (id_t)pid); }

int mooring_signal_group(pid_t leader, int signal) {
    // kill(2) takes 0, 1 and negative numbers for our own group, all processes, or another group.
    if (leader <= 1) return -EINVAL;
    return kill(-leader, signal) < 0 ? -errno : 0;
}

int mooring_pidfd_open(pid_t pid) {
    int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    return fd < 0 ? -errno : fd;
}

int mooring_pidfd_signal(int pidfd, int signal) {
    return syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0) < 0 ? -errno : 0;
}

bool mooring_pidfd_ended(int pidfd) {
    struct pollfd entry = {.fd = pidfd, .events = POLLIN};
    return poll(&entry, 1, 0) > 0;
}

const char *mooring_signal_name(int signal) { return sigabbrev_np(signal); }

int mooring_set_subreaper(bool adopts) {
    return prctl(PR_SET_CHILD_SUBREAPER, adopts ? 1 : 0, 0, 0, 0) < 0 ? -errno : 0;
}

int mooring_block_signals(const int *signals, int count) {
    sigset_t set;
    sigemptyset(&set);
    for (int i = 0; i < count; i++) sigaddset(&set, signals[i]);
    return -pthread_sigmask(SIG_BLOCK, &set, NULL);
}

void mooring_default_sigchld(void) { signal(SIGCHLD, SIG_DFL); }

int mooring_pipe(int ends[2]) {
    if (pipe2(ends, O_CLOEXEC) < 0) return -errno;
    if (fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0) {
        int failed = -errno;
        close(ends[0]);
        close(ends[1]);
        return failed;
    }
    return 0;
}

void mooring_pipe_size(int fd, int bytes) { fcntl(fd, F_SETPIPE_SZ, bytes); }
