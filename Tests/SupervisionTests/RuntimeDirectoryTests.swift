internal import Glibc
internal import Reactor
internal import TestSupport
internal import Testing

@testable internal import Supervision

@Suite struct RuntimeDirectoryTests {
    private let scratch = TemporaryFolder()

    private func mode(_ path: String) -> mode_t {
        var status = stat()
        return unsafe lstat(path, &status) == 0 ? status.st_mode & 0o777 : 0
    }

    @Test func `a missing directory is made for the owner alone, in parents to pass through`()
        throws
    {
        let directory = try RuntimeDirectory(preparing: "\(scratch.path)/a/b/")
        #expect(directory.path == "\(scratch.path)/a/b")
        #expect(mode("\(scratch.path)/a") == 0o711)
        #expect(mode("\(scratch.path)/a/b") == 0o700)
        #expect(throws: Never.self) { try RuntimeDirectory(preparing: "\(scratch.path)/a/b") }
    }

    @Test func `a directory that others may write to is refused`() {
        unsafe mkdir("\(scratch.path)/open", 0o700)
        unsafe chmod("\(scratch.path)/open", 0o770)
        #expect(throws: SupervisionError.self) {
            try RuntimeDirectory(preparing: "\(scratch.path)/open")
        }
    }

    @Test func `a symbolic link is refused`() {
        unsafe mkdir("\(scratch.path)/real", 0o700)
        unsafe symlink("\(scratch.path)/real", "\(scratch.path)/link")
        #expect(throws: SupervisionError.self) {
            try RuntimeDirectory(preparing: "\(scratch.path)/link")
        }
    }

    @Test func `a path too long for sockets is refused with the setting's name`() {
        let long = "\(scratch.path)/\(String(repeating: "x", count: 90))"
        let error = #expect(throws: SupervisionError.self) {
            try RuntimeDirectory(preparing: long)
        }
        #expect(error?.description.contains("set runtime_dir to a shorter path") == true)
    }

    @Test func `sockets without a listener are removed, living ones stay`() throws {
        let directory = try RuntimeDirectory(preparing: scratch.path)
        let living = try ListeningSocket(.unix(directory.socketPath(label: "living")))
        defer { living.close() }
        let dead = try ListeningSocket(.unix(directory.socketPath(label: "dead")))
        close(dead.descriptor)
        let file = scratch.file("note.sock", "no socket")
        #expect(directory.removeStaleSockets() == [directory.socketPath(label: "dead")])
        #expect(unsafe access(directory.socketPath(label: "living"), F_OK) == 0)
        #expect(unsafe access(file, F_OK) == 0)
    }

    @Test func `a file of the host is replaced as a whole, and other users can import it`() throws {
        let directory = try RuntimeDirectory(preparing: scratch.path)
        try directory.writeHost([("host.py", Array("old and longer".utf8))])
        try directory.writeHost([("host.py", Array("new".utf8))])
        let folder = RuntimeDirectory.hostFolder(in: scratch.path)
        #expect(ProcFile.text("\(folder)/host.py") == "new")
        #expect(mode("\(folder)/host.py") == 0o644)
        #expect(mode(folder) == 0o755)
        #expect(Set(ProcFile.entries(folder)) == [".", "..", "host.py"])
    }
}

@Suite struct ExecutableSearchTests {
    private let scratch = TemporaryFolder()

    @Test func `a program is found in the path given, not in our own`() throws {
        let file = scratch.file("tool", "#!/bin/sh\n", mode: 0o700)
        let found = try ExecutableSearch.resolve(
            "tool", path: "/nowhere:\(scratch.path)", directory: "/")
        #expect(found == file)
    }

    @Test func `an empty entry is the child's directory`() throws {
        _ = scratch.file("tool", "#!/bin/sh\n", mode: 0o700)
        let found = try ExecutableSearch.resolve("tool", path: "/x:", directory: scratch.path)
        #expect(found == "./tool")
    }

    @Test func `a program with a slash is not searched`() throws {
        let found = try ExecutableSearch.resolve("./tool", path: "/bin", directory: "/")
        #expect(found == "./tool")
    }

    @Test func `a file that cannot be executed is distinguished from a missing one`() {
        _ = scratch.file("tool", "text", mode: 0o600)
        let refused = #expect(throws: SpawnFailure.self) {
            try ExecutableSearch.resolve("tool", path: scratch.path, directory: "/")
        }
        #expect(refused?.errno == EACCES)
        let missing = #expect(throws: SpawnFailure.self) {
            try ExecutableSearch.resolve("other", path: scratch.path, directory: "/")
        }
        #expect(missing?.errno == ENOENT)
        #expect(missing?.description.contains("PATH is \(scratch.path)") == true)
    }
}
