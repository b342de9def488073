// Opening files by paths that somebody else may be able to change.
#pragma once

#include <sys/types.h>

// openat(2) for a program with root's rights: a symbolic link counts only where nobody but root can
// have put it. From the first directory on that somebody else owns or can write to, no link is
// followed (-ELOOP), and an existing file is opened only if it has no second name (-EMLINK), which
// could be another user's. For any other user it is open(2) with O_NOFOLLOW. O_CLOEXEC is implied.
int mooring_open_guarded(const char *path, int flags, mode_t mode);

// Whether nobody but root and this user can change where an absolute path leads: 0, or -EPERM with
// the user whose directory it is in `owner` (-1: it is root's or ours, but others may write to it), or
// another -errno. What is missing at the end of the path counts as good.
int mooring_check_path(const char *path, long *owner);
