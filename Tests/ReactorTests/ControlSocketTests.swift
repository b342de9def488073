internal import Foundation
internal import Glibc
internal import Testing

@testable internal import Reactor

@Suite struct ControlSocketTests {
    private func pair() throws -> (ControlSocket, ControlSocket) {
        let path = "/tmp/mooring-control-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
        let listener = try ControlListener(path: path)
        defer { listener.removePath() }
        let one = try ControlSocket(connectingTo: path)
        return (one, try #require(listener.accept()))
    }

    private func withPair(_ body: (ControlSocket, ControlSocket) throws -> Void) throws {
        let (one, other) = try pair()
        defer {
            one.close()
            other.close()
        }
        try body(one, other)
    }

    @Test func `lines arrive one by one`() throws {
        try withPair { one, other in
            try one.send("first")
            try one.send("second line")
            #expect(try other.receive().line == "first")
            #expect(try other.receive().line == "second line")
        }
    }

    @Test func `a descriptor that was sent is the same socket in the other program`() throws {
        try withPair { one, other in
            let socket = try ListeningSocket(.tcp("127.0.0.1", 0))
            try one.send("sockets", descriptors: [socket.descriptor])
            let message = try other.receive()
            let received = try ListeningSocket(inheriting: try #require(message.descriptors.first))
            #expect(received.address.text == socket.address.text)
            #expect(received.descriptor != socket.descriptor)
            socket.leave()
            // The socket listens on although the first descriptor is closed.
            _ = try received.address.connect()
            received.close()
        }
    }

    @Test func `an end that has gone is an error, not silence`() throws {
        let (one, other) = try pair()
        defer { other.close() }
        // Once: the number may be that of a socket of another test afterwards.
        one.close()
        #expect(throws: SystemError.self) { try other.receive() }
    }

    @Test func `what does not listen is not taken over`() throws {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        #expect(throws: SystemError.self) { try ListeningSocket(inheriting: descriptor) }
    }

    @Test func `the peer's user is known`() throws {
        try withPair { one, other in
            #expect(one.peerUser == getuid())
            #expect(other.peerUser == getuid())
        }
    }
}

@Suite struct ServiceManagerTests {
    @Test func `sockets of the service manager have their names`() {
        let manager = ServiceManager(
            environment: [
                "LISTEN_PID": "42", "LISTEN_FDS": "3", "LISTEN_FDNAMES": "http:https",
            ], process: 42)
        #expect(manager.sockets.map(\.name) == ["http", "https", "unknown"])
        #expect(manager.sockets.map(\.descriptor) == [3, 4, 5])
    }

    @Test func `sockets that are meant for another process are left alone`() {
        let manager = ServiceManager(
            environment: ["LISTEN_PID": "41", "LISTEN_FDS": "1"], process: 42)
        #expect(manager.sockets.isEmpty)
    }

    @Test(arguments: ["0", "-1", "100000", "x", ""])
    func `a senseless number of sockets is none`(_ count: String) {
        let manager = ServiceManager(
            environment: ["LISTEN_PID": "42", "LISTEN_FDS": count], process: 42)
        #expect(manager.sockets.isEmpty)
    }

    @Test func `the watchdog's interval is in microseconds`() {
        let manager = ServiceManager(environment: ["WATCHDOG_USEC": "3000000"], process: 42)
        #expect(manager.watchdogNanoseconds == 3_000_000_000)
        let other = ServiceManager(
            environment: ["WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "1"], process: 42)
        #expect(other.watchdogNanoseconds == nil)
    }

    @Test func `a notice reaches the socket that the environment names`() throws {
        let path = "/tmp/mooring-notify-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
        let receiver = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        defer {
            close(receiver)
            unsafe unlink(path)
        }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) {
            unsafe $0.copyBytes(from: path.utf8)
        }
        let bound = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe bind(receiver, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        #expect(bound == 0)
        ServiceManager(environment: ["NOTIFY_SOCKET": path], process: 42)
            .notify("READY=1", "STATUS=serving")
        var buffer = [UInt8](repeating: 0, count: 256)
        let got = unsafe recv(receiver, &buffer, buffer.count, Int32(MSG_DONTWAIT))
        #expect(
            String(decoding: buffer.prefix(max(0, got)), as: UTF8.self) == "READY=1\nSTATUS=serving"
        )
    }
}
