// Opening files by paths that another user may be able to change.
#pragma once

#include <sys/types.h>

// openat(2) for a program with root's rights: follows a symbolic link only where no one but root
// can have created it. From the first directory that another user owns or can write to, no link is
// followed (-ELOOP), and an existing file is opened only if it has no second name (-EMLINK), which
// could be another user's. For any other user it is open(2) with O_NOFOLLOW. O_CLOEXEC is implied.
int mooring_open_guarded(const char *path, int flags, mode_t mode);

// Tells of files that appear in directories (inotify(7)): a non-blocking descriptor, or -errno.
int mooring_inotify_open(void);
// Makes it readable at the next file that appears in a directory, once; 0 or -errno.
int mooring_inotify_once(int fd, const char *directory);
// Discards the pending events.
void mooring_inotify_drain(int fd);

// Whether only root and this user can change where an absolute path leads: 0, or -EPERM with the
// owner of the offending directory in `owner` (-1: it is root's or ours, but others may write to
// it), or another -errno. Missing components at the end of the path are fine.
int mooring_check_path(const char *path, long *owner);
