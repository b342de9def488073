internal import ConfigFile
internal import Foundation
internal import Reactor
internal import ReverseProxy
internal import SessionAffinity
internal import Settings
internal import Supervision
internal import Testing

@testable internal import Backends
@testable internal import Serving

/// What a part is given of the configuration it also reads.
@Suite struct SettingsUseTests {
    /// Values as the parts have them, and where they are read.
    private static let given: [(value: any Sendable, targets: [String])] = [
        (Timeouts(), ["ReverseProxy", "Serving"]), (RouteTimeouts(), ["ReverseProxy"]),
        (Limits(), ["ReverseProxy", "Serving"]), (LogSettings(), ["Serving"]),
        (AccessLogSettings(), ["ReverseProxy"]),
        (HealthPolicy(path: "/"), ["Backends", "Supervision"]),
        (GroupPolicy(name: ""), ["Backends"]),
        (ServerEndpoint(address: .unix(path: "/")), ["Backends"]),
        (ServerTLS(name: ""), ["Serving"]), (NameService(), ["Supervision", "Settings"]),
        (
            LaunchSpec(
                command: [], directory: "", environment: [:], threads: 1, multiprocess: false,
                groupName: ""), ["Supervision"]
        ),
        (Isolation(), ["Supervision"]), (ProxyGroupSettings(name: ""), ["ReverseProxy"]),
        (ListenerSettings(.inherited(name: "")), ["ReverseProxy"]),
        (AffinitySettings(cookie: CookieAttributes(name: "")), ["ReverseProxy"]),
        (CookieAttributes(name: ""), ["SessionAffinity"]),
        (
            RouteSettings(
                group: 0, strippedPrefix: "", affinity: .init(cookie: CookieAttributes(name: ""))),
            ["ReverseProxy"]
        ),
    ]

    @Test func `every value that a part is given is read there`() throws {
        let files = FileRouteSettings(try ServedFolder("/"), path: "/")
        for (value, targets) in Self.given + [(files, ["ReverseProxy"])] {
            let mirror = Mirror(reflecting: value)
            let lines = try targets.flatMap(Self.lines)
            for property in mirror.children.compactMap(\.label) {
                let isRead = lines.contains { Self.reads($0, property) }
                #expect(isRead, "\(mirror.subjectType).\(property) is not read in \(targets)")
            }
        }
    }

    @Test func `what holds for the whole program is read where it is joined`() throws {
        let configuration = try configuration("[group.app]\ncommand = [\"./app\"]\n")
        let lines = try Self.lines(of: "Serving")
        let values: [any Sendable] = [
            configuration, configuration.admin, configuration.groups[0],
            try #require(configuration.groups[0].launch),
            configuration.routes[0], configuration.listeners[0],
        ]
        for value in values {
            for property in Mirror(reflecting: value).children.compactMap(\.label) {
                // The warnings that ConfigFile gives itself.
                if property == "isRoot" { continue }
                let isRead = lines.contains { Self.reads($0, property) }
                #expect(isRead, "\(type(of: value)).\(property) is not read in Serving")
            }
        }
    }

    /// Whether a line names the property, and neither declares it nor gives it its value.
    private static func reads(_ line: Substring, _ property: String) -> Bool {
        let code = line.replacing(#/"[^"]*"/#, with: "")
        if code.contains("//") { return false }
        for name in code.ranges(of: property) {
            let (before, after) = (code[..<name.lowerBound], code[name.upperBound...])
            if isWord(before.last) || isWord(after.first) { continue }
            let isDeclared = before.hasSuffix("var ") || before.hasSuffix("let ")
            if !isDeclared, !before.hasSuffix("self."), !after.hasPrefix(":"),
                !after.hasPrefix(" = ")
            {
                return true
            }
        }
        return false
    }

    private static func isWord(_ character: Character?) -> Bool {
        character.map { $0.isLetter || $0.isNumber || $0 == "_" } ?? false
    }

    private static func lines(of target: String) throws -> [Substring] {
        let folder = URL(fileURLWithPath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("Sources/\(target)")
        let files = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)
        var lines: [Substring] = []
        for case let file as URL in try #require(files) where file.pathExtension == "swift" {
            lines += try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
        }
        return lines
    }
}
