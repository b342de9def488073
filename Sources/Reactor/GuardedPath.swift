internal import CLinux
internal import Glibc

/// Paths that another user may be able to change, as a program with root's rights has to see them.
package enum GuardedPath {
    /// open(2) that never follows a symbolic link at the end of the path; with root's rights also none
    /// before it that somebody other than root could have put there.
    ///
    /// - Throws: `SystemError`: ELOOP for a link, EMLINK for a file that may be known by another name
    ///   to somebody else.
    package static func open(
        _ path: String, _ flags: Int32, mode: UInt32 = 0
    ) throws(SystemError) -> Int32 {
        try SystemError.check(
            unsafe path.withCString { unsafe mooring_open_guarded($0, flags, mode) },
            "open \(path)")
    }

    /// What another user could do to where a path leads; nil: nothing, or it does not matter, for this
    /// program has no more rights than a user.
    ///
    /// - Parameter path: absolute; what is missing at its end may be made.
    package static func danger(_ path: String) -> String? {
        guard geteuid() == 0 else { return nil }
        var owner = -1
        let result = unsafe path.withCString { unsafe mooring_check_path($0, &owner) }
        switch -result {
        case 0: return nil
        case EPERM where owner >= 0:
            return "a folder on the way to it belongs to user \(owner), who could exchange it"
        case EPERM: return "others may write to a folder on the way to it, and could exchange it"
        case ELOOP: return "a symbolic link on the way to it is another user's"
        default: return SystemError.message(-result)
        }
    }
}
