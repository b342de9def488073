internal import Glibc
internal import SessionAffinity
internal import TestSupport
internal import Testing

@testable internal import Serving

@Suite struct SecretFileTests {
    private let folder = TemporaryFolder()

    @Test func `the keys are made once and read from then on`() throws {
        let path = "\(folder.path)/session.keys"
        #expect(try KeyringFile.read(path) == nil)
        let (first, isNew) = try KeyringFile.load(path)
        #expect(isNew)
        let (second, isNewAgain) = try KeyringFile.load(path)
        #expect(!isNewAgain)
        #expect(first.text == second.text)
        var status = stat()
        #expect(unsafe stat(path, &status) == 0 && status.st_mode & 0o777 == 0o600)
    }

    @Test func `a file that others can read is refused with the command that helps`() throws {
        let path = folder.file("session.keys", "1 00\n", mode: 0o600)
        #expect(unsafe chmod(path, 0o644) == 0)
        #expect { try KeyringFile.load(path) } throws: { error in
            (error as? ServingError)?.message.contains("chmod 600 \(path)") == true
        }
    }

    @Test func `a link is not followed and a folder is no file`() throws {
        let target = folder.file("target", "x")
        let link = "\(folder.path)/link"
        #expect(unsafe symlink(target, link) == 0)
        #expect(throws: ServingError.self) { try PrivateFiles.readSecret(link) }
        #expect(throws: ServingError.self) { try PrivateFiles.readSecret(folder.path) }
    }

    @Test func `a secret that is there already stays`() throws {
        let path = folder.file("token", "old")
        #expect(try !PrivateFiles.createSecret(path, "new"))
        #expect(try PrivateFiles.readSecret(path) == "old")
    }

    @Test func `a folder is made with its parents for this user alone`() throws {
        let path = "\(folder.path)/a/b"
        try PrivateFiles.prepareFolder(path, setting: "state_dir")
        var status = stat()
        #expect(unsafe stat(path, &status) == 0 && status.st_mode & 0o777 == 0o700)
        #expect(unsafe chmod(path, 0o777) == 0)
        #expect { try PrivateFiles.prepareFolder(path, setting: "state_dir") } throws: { error in
            (error as? ServingError)?.message.contains("state_dir") == true
        }
    }
}
