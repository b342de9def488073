internal import Glibc
internal import Reactor

/// The records of the living processes: one file each, named by its label.
///
/// Files are replaced atomically (rename(2)) without fsync: records lost in a power failure are
/// worthless anyway, since no process survives it (boot id).
struct StateDirectory: Sendable, Equatable {
    private static let folderName = "processes"

    private let folder: PrivateDirectory
    var path: String { folder.path }

    /// Why a file is rejected.
    struct Refusal: Error, Equatable {
        var sentence: String
    }

    /// Creates `processes` in the state directory and checks it.
    init(preparing given: String) throws(PrivateDirectory.Problem) {
        folder = try PrivateDirectory(
            preparing: "\(PrivateDirectory.absolute(given))/\(Self.folderName)")
    }

    /// The directory of an earlier balancer, unchanged.
    init(checking given: String) throws(PrivateDirectory.Problem) {
        folder = try PrivateDirectory(
            checking: "\(PrivateDirectory.absolute(given))/\(Self.folderName)")
    }

    /// Writes the record of a process, replacing its earlier one.
    func write(_ record: ProcessRecord) throws(PrivateDirectory.Problem) {
        guard record.isWritable else {
            throw .init(
                path: path, sentence: "a path or name in it is too long or has control characters")
        }
        try folder.write(Array(record.text.utf8), as: record.label)
    }

    /// Removes the record of a process; harmless when there is none.
    func remove(_ label: String) throws(PrivateDirectory.Problem) {
        if unsafe unlink("\(path)/\(label)") != 0 && errno != ENOENT {
            let code = errno
            throw .init(
                path: path, errno: code, sentence: "\(SystemError.message(code)) (unlink)")
        }
    }

    /// The names of possible records; removes files of interrupted writes.
    func labels() -> [String] {
        var labels: [String] = []
        for name in ProcFile.entries(path) where name != "." && name != ".." {
            if ProcessLabel.isValid(name) {
                labels.append(name)
            } else if name.hasPrefix(".") && name.hasSuffix(".new") {
                unsafe unlink("\(path)/\(name)")
            }
        }
        return labels.sorted()
    }

    /// Writes a file that is no record of a process.
    func replace(_ name: String, _ bytes: [UInt8]) throws(PrivateDirectory.Problem) {
        try folder.write(bytes, as: name)
    }

    /// Reads the record of a process.
    func read(_ label: String) throws(Refusal) -> ProcessRecord {
        let text = try text(of: label, limit: ProcessRecord.sizeLimit)
        let record: ProcessRecord
        do {
            record = try ProcessRecord(text: text)
        } catch {
            throw Refusal(sentence: error.description)
        }
        guard record.label == label else { throw Refusal(sentence: "its label is another one") }
        return record
    }

    /// The text of a file, which only this user may own and write.
    func text(of name: String, limit: Int) throws(Refusal) -> String {
        // O_NONBLOCK: a FIFO in its place must not block.
        let descriptor = unsafe open(
            "\(path)/\(name)", O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw Refusal(sentence: "\(SystemError.message(errno)) (open)")
        }
        defer { close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw Refusal(sentence: "it is not a plain file")
        }
        guard status.st_uid == geteuid() else {
            throw Refusal(sentence: "it belongs to user \(status.st_uid)")
        }
        guard status.st_mode & 0o022 == 0 else { throw Refusal(sentence: "others may write it") }
        guard status.st_size <= limit else {
            throw Refusal(sentence: "it has more than \(limit) bytes")
        }
        guard let bytes = ProcFile.bytes(of: descriptor, limit: limit + 1),
            let text = String(validating: bytes, as: UTF8.self)
        else { throw Refusal(sentence: "it cannot be read as text") }
        return text
    }
}
