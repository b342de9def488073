internal import Glibc
internal import Testing

@testable internal import Reactor

/// What root opens where another user owns a folder of the path.
@Suite(.enabled(if: geteuid() == 0)) struct GuardedPathTests {
    private static let nobody: uid_t = 65534
    private let folder: String

    init() {
        var template = Array("/tmp/m-path-XXXXXX".utf8CString)
        _ = unsafe template.withUnsafeMutableBufferPointer { buffer in
            unsafe buffer.baseAddress.map { unsafe mkdtemp($0) }
        }
        folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        for name in ["secret", "own", "own/logs", "ours"] {
            unsafe mkdir("\(folder)/\(name)", 0o755)
        }
        unsafe chown("\(folder)/own", Self.nobody, Self.nobody)
        unsafe chown("\(folder)/own/logs", Self.nobody, Self.nobody)
    }

    private func outcome(_ path: String) -> Int32 {
        do {
            close(try GuardedPath.open("\(folder)/\(path)", O_WRONLY | O_CREAT, mode: 0o600))
            return 0
        } catch {
            return error.errno
        }
    }

    @Test func `a link of root's in a folder of root's is followed`() {
        unsafe symlink("\(folder)/secret", "\(folder)/ours/absolute")
        unsafe symlink("../secret", "\(folder)/ours/relative")
        #expect(outcome("ours/absolute/a") == 0)
        #expect(outcome("ours/relative/../secret/b") == 0)
        #expect(unsafe access("\(folder)/secret/a", F_OK) == 0)
        #expect(unsafe access("\(folder)/secret/b", F_OK) == 0)
    }

    @Test(arguments: ["link", "logs/link", "logs/deep/link"])
    func `no link below another user's folder is followed`(_ link: String) {
        unsafe mkdir("\(folder)/own/logs/deep", 0o755)
        unsafe symlink("\(folder)/secret", "\(folder)/own/\(link)")
        #expect(outcome("own/\(link)/file") == ELOOP)
        #expect(outcome("own/\(link)") == ELOOP, "nor at the end")
        #expect(unsafe access("\(folder)/secret/file", F_OK) != 0)
    }

    @Test func `a link of another user's in a sticky folder is not followed`() {
        unsafe chmod("\(folder)/ours", 0o1777)
        unsafe symlink("\(folder)/secret", "\(folder)/ours/theirs")
        unsafe lchown("\(folder)/ours/theirs", Self.nobody, Self.nobody)
        #expect(outcome("ours/theirs/file") == ELOOP)
    }

    @Test func `a folder that others may write to is not trusted`() {
        unsafe chmod("\(folder)/ours", 0o777)
        unsafe symlink("\(folder)/secret", "\(folder)/ours/link")
        #expect(outcome("ours/link/file") == ELOOP)
        #expect(GuardedPath.danger("\(folder)/ours/mine") != nil)
    }

    @Test func `a file that is known by another name is refused in another user's folder`() {
        #expect(outcome("secret/file") == 0)
        unsafe link("\(folder)/secret/file", "\(folder)/own/file")
        #expect(outcome("own/file") == EMLINK)
    }

    @Test func `plain files are opened anywhere, and links that lead round and round end`() {
        #expect(outcome("own/logs/file") == 0)
        #expect(outcome("own/logs/none/file") == ENOENT)
        unsafe symlink("round", "\(folder)/ours/round")
        #expect(outcome("ours/round/file") == ELOOP)
    }

    @Test func `the way to a folder is safe when it is root's from the top`() {
        #expect(GuardedPath.danger("\(folder)/ours") == nil)
        #expect(GuardedPath.danger("\(folder)/missing/deeper") == nil)
        #expect(GuardedPath.danger("\(folder)/own/mine")?.contains("65534") == true)
    }
}
