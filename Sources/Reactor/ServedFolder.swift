internal import CLinux
internal import Glibc

/// A folder whose files are served; it stays the same one whatever its path leads to later.
package final class ServedFolder: Sendable {
    private let descriptor: Int32

    /// - Throws: `SystemError`: there is no folder, or names in it may not be looked up.
    package init(_ path: String) throws(SystemError) {
        descriptor = try SystemError.check(
            unsafe path.withCString { unsafe mooring_open_folder($0) }, "open \(path)")
    }

    deinit { mooring_close(descriptor) }

    /// What a name below the folder leads to.
    package enum Entry: Equatable, Sendable {
        /// It is open: its user closes it.
        case file(ServedFile)
        case folder
        /// A device, a pipe or a socket.
        case other
        /// An errno; EXDEV: it leads out of the folder.
        case failed(Int32)
    }

    /// Opens a name below the folder.
    ///
    /// A blocking call of a loop, as it is of every server that has no threads for it: names and
    /// inodes of files that are served are in memory as a rule, where this takes a few µs, and
    /// no flag makes the kernel give up instead of reading a local disk. A folder on a network file
    /// system that hangs makes a loop hang.
    ///
    /// - Parameter name: relative, without `..`, and a zero byte behind it.
    package func open(_ name: [UInt8]) -> Entry {
        precondition(name.last == 0, "a zero byte ends a name")
        var facts = mooring_served()
        let opened = unsafe name.withUnsafeBytes { bytes in
            let text = unsafe bytes.assumingMemoryBound(to: CChar.self)
            guard let start = text.baseAddress else { return -ENOENT }
            return unsafe mooring_open_below(descriptor, start, &facts)
        }
        if opened < 0 { return .failed(-opened) }
        switch facts.kind {
        case MOORING_FILE:
            return .file(
                ServedFile(
                    descriptor: opened, size: facts.size, modified: facts.modified_ns,
                    inode: facts.inode))
        case MOORING_FOLDER:
            mooring_close(opened)
            return .folder
        default:
            mooring_close(opened)
            return .other
        }
    }
}

/// An open file, with what was known of it when it was opened: just a descriptor, closed by its
/// owner.
package struct ServedFile: Equatable, Sendable {
    package let descriptor: Int32
    package let size: Int64
    /// In ns of the Unix era.
    package let modified: Int64
    package let inode: UInt64

    package init(descriptor: Int32, size: Int64, modified: Int64, inode: UInt64) {
        self.descriptor = descriptor
        self.size = size
        self.modified = modified
        self.inode = inode
    }

    /// Reads into the free space of a block.
    ///
    /// - Parameter count: the most bytes to read.
    package func read(into block: inout Block, at position: Int64, atMost count: Int) -> Transfer {
        let room = unsafe block.writable
        let wanted = min(count, room.count)
        let got = unsafe mooring_read_at(descriptor, room.baseAddress, wanted, position)
        if got > 0 {
            block.commit(got)
            return .moved(got)
        }
        return got == 0 ? .end : .failed(Int32(truncatingIfNeeded: -got))
    }

    /// Whether sendfile(2) failed because of the file system, so that the file has to be read.
    package static func cannotBeSent(_ errno: Int32) -> Bool {
        errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP
    }

    /// Closes the descriptor; call once, by the owner.
    package func close() { mooring_close(descriptor) }
}
