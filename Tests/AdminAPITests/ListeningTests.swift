internal import AsyncHTTPClient
internal import Backends
internal import Foundation
internal import Logging
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import ServiceLifecycle
internal import Testing

@testable internal import AdminAPI

@Suite struct ListeningTests {
    @Test func `a unix socket serves, is for its user alone and goes with the server`()
        async throws
    {
        try await withFolder { folder in
            let path = "\(folder)/admin.sock"
            try await serving(.unix(path: path)) { address in
                #expect(address == "unix:\(path)")
                let attributes = try FileManager.default.attributesOfItem(atPath: path)
                #expect(attributes[.posixPermissions] as? Int == 0o600)
                #expect(try FileManager.default.contentsOfDirectory(atPath: folder).count == 1)
                let encoded = path.addingPercentEncoding(withAllowedCharacters: .alphanumerics)
                let answer = try await get("http+unix://\(encoded ?? "")/stats")
                #expect(answer.status == 200)
                #expect(answer.body.contains(#""name":"django""#))
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
        }
    }

    @Test func `the socket file of a dead program is replaced`() async throws {
        try await withFolder { folder in
            let path = "\(folder)/admin.sock"
            let stale = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
                .bind(unixDomainSocketPath: "\(path).bound").get()
            // NIO takes away the file that it bound; under its new name it stays behind.
            try FileManager.default.moveItem(atPath: "\(path).bound", toPath: path)
            try await stale.close()
            try #require(FileManager.default.fileExists(atPath: path))
            try await serving(.unix(path: path)) { #expect($0 == "unix:\(path)") }
        }
    }

    @Test func `the socket of a living program is left alone`() async throws {
        try await withFolder { folder in
            let path = "\(folder)/admin.sock"
            try await serving(.unix(path: path)) { _ in
                let error = await #expect(throws: AdminError.self) {
                    try await makeServer(address: .unix(path: path)).run()
                }
                #expect(error?.description.contains("another program listens") == true)
                #expect(FileManager.default.fileExists(atPath: path))
            }
        }
    }

    @Test func `a file that is no socket is left alone`() async throws {
        try await withFolder { folder in
            let path = "\(folder)/admin.sock"
            try Data("precious".utf8).write(to: URL(fileURLWithPath: path))
            let server = makeServer(address: .unix(path: path))
            await #expect(throws: AdminError.self) { try await server.run() }
            await #expect(throws: AdminError.self) { try await server.waitUntilBound() }
            #expect(try String(contentsOfFile: path, encoding: .utf8) == "precious")
        }
    }

    @Test func `a path that no socket can have is refused with the limit`() async throws {
        let path = "/tmp/" + String(repeating: "a", count: 110)
        let error = await #expect(throws: AdminError.self) {
            try await makeServer(address: .unix(path: path)).run()
        }
        #expect(error?.description.contains("107") == true)
    }

    @Test func `a TCP port is made known and foreign hosts are refused there`() async throws {
        try await serving(.tcp(host: "127.0.0.1", port: 0)) { address in
            #expect(!address.hasSuffix(":0"))
            #expect(try await get("http://\(address)/healthz").status == 200)
            let rebound = try await get("http://\(address)/stats", host: "evil.example")
            #expect(rebound.status == 403)
            #expect(!rebound.body.contains("django"))
        }
    }

    @Test func `an address in use is named`() async throws {
        try await serving(.tcp(host: "127.0.0.1", port: 0)) { address in
            let port = UInt16(address.split(separator: ":").last ?? "") ?? 0
            let error = await #expect(throws: AdminError.self) {
                try await makeServer(address: .tcp(host: "127.0.0.1", port: port)).run()
            }
            #expect(
                error?.description.contains("\(address) (admin): Address already in use") == true)
        }
    }

    private func get(_ url: String, host: String? = nil) async throws
        -> (status: UInt, body: String)
    {
        var request = HTTPClientRequest(url: url)
        if let host { request.headers.add(name: "Host", value: host) }
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(20))
        let body = try await response.body.collect(upTo: 1 << 20)
        return (response.status.code, String(buffer: body))
    }

    /// Runs a server while the body runs; its end is awaited.
    private func serving(
        _ address: ProcessAddress, _ body: (String) async throws -> Void
    ) async throws {
        let server = makeServer(address: address)
        let group = ServiceGroup(services: [server], logger: Logger(label: "test"))
        let task = Task { try await group.run() }
        let failure: (any Error)?
        do {
            try await body(try await server.waitUntilBound())
            failure = nil
        } catch {
            failure = error
        }
        await group.triggerGracefulShutdown()
        _ = await task.result
        if let failure { throw failure }
    }

    private func withFolder(_ body: (String) async throws -> Void) async throws {
        let folder = "/tmp/mooring-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try await body(folder)
    }
}
