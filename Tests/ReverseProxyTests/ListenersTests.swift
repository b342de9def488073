internal import Foundation
internal import Reactor
internal import Settings
internal import Testing

@testable internal import ReverseProxy

@Suite struct ListenersTests {
    /// A folder for sockets, which goes with it.
    private final class Folder {
        let path: String

        init() throws {
            let name = "listeners-\(UUID().uuidString.prefix(8))"
            path = FileManager.default.temporaryDirectory.appendingPathComponent(name).path
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: false)
        }

        deinit { try? FileManager.default.removeItem(atPath: path) }

        func listener(_ name: String) -> ListenerSettings {
            ListenerSettings(.address(.unix(path: "\(path)/\(name)")))
        }

        func exists(_ name: String) -> Bool {
            FileManager.default.fileExists(atPath: "\(path)/\(name)")
        }
    }

    private static let passed = ListenerSettings(.inherited(name: "web"))

    @Test func `a socket stays for as long as its address is asked for`() throws {
        let folder = try Folder()
        var listeners = Listeners(inherited: [:])
        let first = try listeners.replace(with: [folder.listener("a"), folder.listener("b")])
        let second = try listeners.replace(with: [folder.listener("a"), nil])
        #expect(second[0]?.descriptor == first[0]?.descriptor)
        #expect(second.count == 2 && second[1] == nil)
        // The loop closes what is gone.
        first[1]?.close()
        listeners.closeAll()
        #expect(!folder.exists("a"))
    }

    @Test func `an address that cannot be had changes nothing, and nothing new stays bound`()
        throws
    {
        let folder = try Folder()
        var listeners = Listeners(inherited: [:])
        let before = try listeners.replace(with: [folder.listener("a")])
        #expect(throws: ProxyError.self) {
            try listeners.replace(with: [
                folder.listener("a"), folder.listener("new"), folder.listener("no/such/folder"),
            ])
        }
        #expect(!folder.exists("new"))
        #expect(folder.exists("a"), "what is listened on stays")
        #expect(listeners.sockets.map { $0?.descriptor } == before.map { $0?.descriptor })
        #expect(listeners.addresses == [folder.listener("a").address])
        listeners.closeAll()
    }

    @Test func `a socket that was passed is taken as it is, and is not bound again`() throws {
        let folder = try Folder()
        let socket = try ListeningSocket(.unix("\(folder.path)/s"))
        var listeners = Listeners(inherited: [Self.passed.address: socket])
        let sockets = try listeners.replace(with: [Self.passed])
        #expect(sockets.map { $0?.descriptor } == [socket.descriptor])
        listeners.closeAll()
    }

    @Test func `a socket that was passed survives a configuration that is refused`() throws {
        let folder = try Folder()
        let socket = try ListeningSocket(.unix("\(folder.path)/s"))
        var listeners = Listeners(inherited: [Self.passed.address: socket])
        #expect(throws: ProxyError.self) {
            try listeners.replace(with: [Self.passed, folder.listener("no/such/folder")])
        }
        #expect(folder.exists("s"))
        let sockets = try listeners.replace(with: [Self.passed])
        #expect(sockets.map { $0?.descriptor } == [socket.descriptor])
        listeners.closeAll()
    }

    @Test func `a socket that was not passed is named, with what to do`() throws {
        var listeners = Listeners(inherited: [:])
        let error = #expect(throws: ProxyError.self) {
            try listeners.replace(with: [Self.passed])
        }
        #expect(error?.description.contains("FileDescriptorName=web") == true)
    }
}
