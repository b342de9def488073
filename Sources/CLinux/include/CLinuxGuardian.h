// A guardian: a process that ends other processes as soon as its parent has ended without having
// done so itself, by SIGKILL for instance. Parent-death signals (PR_SET_PDEATHSIG) reach children
// only, not their own processes, and cannot be called off for a child that somebody else takes over.
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <sys/types.h>

// A running guardian, or (pid 0) -errno as the socket.
struct mooring_guardian {
    pid_t pid;
    // What it is told by; when the last copy is closed it acts.
    int socket;
};

// Starts a guardian in a session of its own; it takes no signal but SIGKILL, SIGSTOP and holds no
// descriptor but what it is told.
struct mooring_guardian mooring_guardian_start(void);
// Has a process ended with us: SIGTERM to its group, SIGKILL as soon as it has ended itself and 500 ms
// later at the latest, to the group and to the cgroup whose `cgroup.kill` is given (-1: none).
// The descriptors are copied. -errno when the guardian cannot be told; never waits.
int mooring_guardian_add(int socket, pid_t leader, int pidfd, int cgroup_kill);
// It has ended, or is somebody else's to look after. To be called before it is reaped, so that its
// number cannot be given to another process while the guardian knows it.
int mooring_guardian_remove(int socket, pid_t leader);
// Nobody is to be ended any more: ends the guardian and collects it.
void mooring_guardian_dismiss(struct mooring_guardian guardian);
