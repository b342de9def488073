internal import CLinux
internal import Glibc

/// Paths that another user may be able to change, which a program with root's rights must not
/// trust.
package enum GuardedPath {
    /// Opens a file without following a symbolic link at the end of the path; with root's rights
    /// also none before it that a user other than root could have created.
    ///
    /// - Throws: `SystemError`: ELOOP for a link, EMLINK for a file that may have another name that
    ///   belongs to another user.
    package static func open(
        _ path: String, _ flags: Int32, mode: UInt32 = 0
    ) throws(SystemError) -> Int32 {
        try SystemError.check(
            unsafe path.withCString { unsafe mooring_open_guarded($0, flags, mode) },
            "open \(path)")
    }

    /// How another user could redirect a path; nil: impossible, or irrelevant because this program
    /// has no more rights than a user.
    ///
    /// - Parameter path: absolute; missing components at its end may be created.
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
