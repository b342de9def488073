internal import CLinux
internal import Glibc

/// A system call that failed, by name and errno.
package struct SystemError: Error, Equatable, Sendable, CustomStringConvertible {
    package var call: String
    package var errno: Int32

    package init(call: String, errno: Int32) {
        self.call = call
        self.errno = errno
    }

    /// `Address already in use (bind)`, in the words of strerror(3).
    package var description: String { "\(Self.message(errno)) (\(call))" }

    /// strerror(3) of an errno.
    package static func message(_ errno: Int32) -> String {
        guard let text = unsafe strerror(errno) else { return "error \(errno)" }
        return unsafe String(cString: text)
    }

    /// Turns a shim's `-errno` into a thrown error.
    @discardableResult
    package static func check(_ result: Int32, _ call: String) throws(SystemError) -> Int32 {
        if result < 0 { throw SystemError(call: call, errno: -result) }
        return result
    }
}
