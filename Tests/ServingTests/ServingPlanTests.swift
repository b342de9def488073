internal import Backends
internal import Reactor
internal import ReverseProxy
internal import SessionAffinity
internal import Settings
internal import Testing

@testable internal import Serving

@Suite struct ServingPlanTests {
    private let keyring = Keyring(firstKey: [UInt8](repeating: 7, count: 32))

    private func plan(_ text: String) throws -> ServingPlan {
        try ServingPlan(configuration(text), environment: [:], tickets: TLSTicketKeys())
    }

    @Test func `groups keep their positions past one that a failed reload has left`() throws {
        let shop = "[group.shop]\nservers = [\"10.0.0.7:80\"]\nretries = 0\n"
        let blog = "[group.blog]\nservers = [\"10.0.0.8:80\"]\nretries = 2\n"
        let first = try plan(shop + "[routes]\n\"/\" = \"shop\"\n")
            .proxySettings(keyring: keyring)
        let second = try plan(blog + shop + "[routes]\n\"/\" = \"shop\"\n\"/blog\" = \"blog\"\n")
            .proxySettings(
                keyring: keyring, indices: [2, 0], names: ["shop", "wiki", "blog"], over: first)
        #expect(second.groups.map(\.name) == ["shop", "wiki", "blog"])
        #expect(second.groups.map(\.retries) == [0, 1, 2])
        #expect(Set(second.routeSettings.map(\.group)) == [0, 2])
    }

    @Test(arguments: [
        ("carrier = \"query:sid\"", true), ("carrier = \"path:2\"", true),
        ("by = \"header:X-User\"", true), ("by = \"header:X-User\", pin = \"never\"", false),
        ("carrier = \"header:X-Sid\"", false), ("cookie = \"a\"", false),
    ])
    func `a group records its sessions where one of its routes knows them by name`(
        keys: String, records: Bool
    ) throws {
        let group = "[group.app]\nservers = [\"10.0.0.7:80\"]\n"
        let routes =
            "[routes]\n\"/\" = \"app\"\n\"/a\" = { group = \"app\", affinity = { \(keys) } }\n"
        #expect(try plan(group + routes).policies.map(\.namesSessions) == [records])
    }

    @Test func `listeners that stay keep their positions`() throws {
        func listening(_ ports: [Int]) throws -> ServingPlan {
            let listeners = ports.map { "[[listen]]\naddress = \"127.0.0.1:\($0)\"\n" }
            return try plan(listeners.joined() + "[group.app]\nservers = [\"10.0.0.7:80\"]\n")
        }
        let first = try listening([81, 82, 83]).proxySettings(keyring: keyring)
        let second = try listening([83, 84, 81])
            .proxySettings(keyring: keyring, indices: [0], names: ["app"], over: first)
        let places = second.listeners.map { $0?.address }
        func at(_ port: UInt16) -> ListenerAddress {
            .address(.tcp(host: "127.0.0.1", port: port))
        }
        #expect(places == [at(81), nil, at(83), at(84)])
    }
}
