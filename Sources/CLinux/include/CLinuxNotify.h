// The receiving end of sd_notify(3): a datagram socket that tells who sent.
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

// Who sent a datagram, as the kernel says (SCM_CREDENTIALS).
struct mooring_sender {
    // 0 when it is in a pid namespace that cannot be seen from here.
    pid_t pid;
    uid_t user;
    // The datagram was longer than the room for it.
    bool is_cut;
};

// Binds a datagram socket, non-blocking, close-on-exec, that everybody who reaches `path` may send to.
// It takes the place of what had the name in one step (through `temporary`), so that no sender finds
// none. A descriptor or -errno.
int mooring_notify_listen(const char *temporary, const char *path);
// The bytes of the next datagram (0 for an empty one) or -errno, -EAGAIN when there is none.
// Descriptors sent with it are closed, which is what BARRIER=1 waits for.
long mooring_notify_receive(int fd, void *buffer, size_t capacity, struct mooring_sender *sender);
