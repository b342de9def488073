internal import Foundation
internal import Testing

/// Each part of the data plane has one duty, and is small enough to be read at one sitting.
@Suite struct PartSizeTests {
    /// Longer than others may be, and why.
    private static let longer = [
        // A connection and a stream of HTTP/2 differ in every operation, so both are in one type.
        "Downstreams": 500
    ]

    /// With more stored properties than others, and why.
    private static let wider = [
        // What all loops share, each cell for itself.
        "SharedState": 15
    ]

    @Test func `no part of the data plane is longer than 400 lines`() {
        let parts = Dictionary(grouping: Self.files, by: \.part)
        #expect(parts.count > 20)
        for (part, files) in parts {
            let lines = files.reduce(0) { $0 + $1.lines.count }
            #expect(lines <= Self.longer[part] ?? 400, "\(part): \(lines) lines")
        }
        for (part, most) in Self.longer {
            let lines = (parts[part] ?? []).reduce(0) { $0 + $1.lines.count }
            #expect(lines > 400, "\(part) needs no leave for \(most) lines")
        }
    }

    @Test func `no class of the data plane has more than twelve stored properties`() throws {
        let declaration = try Regex(
            #"^(?:package )?final class (\w+)"#, as: (Substring, Substring).self)
        var classes = 0
        for file in Self.files {
            var name: Substring?
            var count = 0
            for line in file.code {
                if let match = line.firstMatch(of: declaration) {
                    name = Substring(String(match.output.1))
                    count = 0
                    classes += 1
                } else if line == "}" {
                    if let name {
                        #expect(count <= Self.wider[String(name)] ?? 12, "\(name): \(count)")
                    }
                    name = nil
                } else if name != nil, try Self.isStored(line) {
                    count += 1
                }
            }
        }
        #expect(classes > 20)
    }

    @Test func `a stored property is no computed one and no local value`() throws {
        #expect(try Self.isStored("    private(set) var held = 0"))
        #expect(try Self.isStored("    private let plan: Plan"))
        #expect(try Self.isStored("    var messages: [Int] = []"))
        #expect(try !Self.isStored("    var now: Int64 { loop.now }"))
        #expect(try !Self.isStored("    private static let most = 16"))
        #expect(try !Self.isStored("        let place = 1"))
    }

    private static let files = SourceTree.files(in: "Sources/ReverseProxy", endings: [".swift"])

    /// By the indentation of a type's members.
    private static func isStored(_ line: String) throws -> Bool {
        let property = try Regex(#"    (?:(?:private|package|private\(set\)) )*(?:let|var) \w+"#)
        let isComputed = line.hasSuffix("{") || line.contains(" { ")
        return line.prefixMatch(of: property) != nil && !isComputed
    }
}
