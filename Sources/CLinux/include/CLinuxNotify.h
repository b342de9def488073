// The receiving end of sd_notify(3): a datagram socket that tells who sent.
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

// The sender of a datagram, as reported by the kernel (SCM_CREDENTIALS).
struct mooring_sender {
    // 0 when it is in a pid namespace that cannot be seen from here.
    pid_t pid;
    uid_t user;
    // The datagram was longer than the room for it.
    bool is_cut;
    // Descriptors came with it, and it is still the next datagram: mooring_notify_drop takes it off.
    bool has_descriptors;
};

// Binds a datagram socket, non-blocking, close-on-exec, that everybody who reaches `path` may send to.
// It takes the place of what had the name in one step (through `temporary`), so that no sender finds
// none. A descriptor or -errno.
int mooring_notify_listen(const char *temporary, const char *path);
// The bytes of the next datagram (0 for an empty one) or -errno, -EAGAIN when there is none. It never
// closes a sender's file, which can take as long as the sender likes (a connection with SO_LINGER).
long mooring_notify_receive(int fd, void *buffer, size_t capacity, struct mooring_sender *sender);

// The next datagram being taken off the queue by a thread of its own, which closes the descriptors that
// came with it: that is what BARRIER=1 waits for.
struct mooring_drop;
// NULL when no thread can be created. Until it has an outcome, nothing else may read from `fd`.
struct mooring_drop *mooring_notify_drop(int fd);
// 0 at first, 1 when the datagram has been taken, -errno when it is still there.
int mooring_drop_outcome(struct mooring_drop *drop);
// Whether its thread is gone, with all files closed; the memory is freed then.
bool mooring_drop_free_if_ended(struct mooring_drop *drop);
// Closes the socket on a thread of its own, as it may have descriptors in its queue.
void mooring_notify_close(int fd);
