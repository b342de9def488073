internal import Backends
internal import Foundation
internal import Testing

@testable internal import AdminAPI

@Suite struct TokenFileTests {
    private let secret = "0123456789abcdef"

    @Test func `the secret is read without the white space around it`() throws {
        try withFile("\n \(secret) \n", mode: 0o600) { path in
            let token = try AdminToken.read(file: path)
            #expect(token.isCarried(by: "Bearer \(secret)"))
        }
    }

    @Test(arguments: [0o604, 0o602, 0o620, 0o666])
    func `a file that others can read or write is refused`(mode: Int) throws {
        try withFile(secret, mode: mode) { path in
            let error = #expect(throws: AdminError.self) { try AdminToken.read(file: path) }
            #expect(error?.description.contains("chmod 600 \(path)") == true)
            #expect(error?.description.contains(secret) == false)
        }
    }

    @Test(arguments: ["", "short", "0123456789 abcdef", "0123456789abcd\u{e9}f"])
    func `a weak or broken secret is refused`(secret: String) throws {
        try withFile(secret, mode: 0o600) { path in
            #expect(throws: AdminError.self) { try AdminToken.read(file: path) }
        }
    }

    @Test func `an endless file is refused`() throws {
        #expect(throws: AdminError.self) { try AdminToken.read(file: "/dev/zero") }
        try withFile(String(repeating: "a", count: 100_000), mode: 0o600) { path in
            #expect(throws: AdminError.self) { try AdminToken.read(file: path) }
        }
    }

    @Test func `a missing file is named`() {
        let error = #expect(throws: AdminError.self) { try AdminToken.read(file: "/none/such") }
        #expect(error?.description == "token_file /none/such: No such file or directory")
    }

    @Test func `the token for reading is another one`() throws {
        try withFile(secret, mode: 0o600) { path in
            let error = #expect(throws: AdminError.self) {
                try AdminAccess.Keys.read(
                    tokenFile: path, readTokenFile: path, metricsAreOpen: false)
            }
            #expect(
                error?.description.hasPrefix("read_token_file \(path) holds the token of") == true)
        }
        let missing = #expect(throws: AdminError.self) {
            try AdminAccess.Keys.read(
                tokenFile: nil, readTokenFile: "/none/such", metricsAreOpen: false)
        }
        #expect(missing?.description == "read_token_file /none/such: No such file or directory")
    }

    @Test func `a token prints as nothing`() throws {
        let token = try AdminToken(secret)
        var dumped = ""
        let keys = AdminAccess.Keys(token: token, readToken: token)
        dump(
            AdminSettings(address: .unix(path: "/s"), access: AdminAccess(keys)), to: &dumped)
        dump(keys, to: &dumped)
        #expect(!"\(token) \(String(reflecting: token)) \(dumped)".contains(secret))
    }

    private func withFile(_ text: String, mode: Int, _ body: (String) throws -> Void) throws {
        let path = FileManager.default.temporaryDirectory
            .appendingPathComponent("token-\(UUID().uuidString)").path
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
        try body(path)
    }
}
