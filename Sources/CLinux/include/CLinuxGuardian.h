// A guardian: a process that kills other processes as soon as its parent has exited without doing
// so itself, for instance by SIGKILL. Parent-death signals (PR_SET_PDEATHSIG) reach children only,
// not their own processes, and cannot be revoked for a child that another program takes over.
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <sys/types.h>

// A running guardian, or (pid 0) -errno as the socket.
struct mooring_guardian {
    pid_t pid;
    // Its commands come from here; when the last copy is closed it acts.
    int socket;
};

// Starts a guardian in a session of its own; it ignores every signal but SIGKILL and SIGSTOP, and
// holds no descriptors except those it is given.
struct mooring_guardian mooring_guardian_start(void);
// Registers a process to kill when we exit: SIGTERM to its group, SIGKILL as soon as it has exited
// and 500 ms later at the latest, to the group and to the cgroup whose `cgroup.kill` is given (-1:
// none). The descriptors are copied. -errno when the guardian cannot be reached; never blocks.
int mooring_guardian_add(int socket, pid_t leader, int pidfd, int cgroup_kill);
// Removes a process that has exited or that another program takes over. Call it before the process
// is reaped, so that its pid cannot be reused while the guardian knows it.
int mooring_guardian_remove(int socket, pid_t leader);
// No process needs the guardian any more: stops and reaps it.
void mooring_guardian_dismiss(struct mooring_guardian guardian);
