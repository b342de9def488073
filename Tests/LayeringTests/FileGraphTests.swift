internal import Foundation
internal import Testing

/// Which parts of a target know which others, by the types that their files mention.
///
/// A part is a type with its extensions: `Upstreams.swift` and each `Upstreams+….swift`.
@Suite struct FileGraphTests {
    /// A part that others use knows none of them, so that each can be read, and tested, by itself.
    @Test(arguments: ["ReverseProxy"])
    func `no two parts of the data plane know each other`(target: String) throws {
        let graph = try Graph(target: target)
        #expect(graph.parts.count > 20)
        #expect(graph.cycle == nil, "\(graph.cycle?.joined(separator: " -> ") ?? "")")
    }

    @Test func `a cycle is found by its path`() {
        let graph = Graph(parts: [
            "A": ["B"], "B": ["C", "D"], "C": [], "D": ["E"], "E": ["B"],
        ])
        #expect(graph.cycle == ["B", "D", "E", "B"])
        #expect(Graph(parts: ["A": ["B", "C"], "B": ["C"], "C": []]).cycle == nil)
    }
}

private struct Graph {
    /// Each part with those that it mentions, itself apart.
    let parts: [String: Set<String>]

    init(parts: [String: Set<String>]) { self.parts = parts }

    init(target: String) throws {
        let files = SourceTree.files(in: "Sources/\(target)", endings: [".swift"])
        let declaration = try Regex(
            #"^(?:(?:package|private|fileprivate|final|indirect|@\w+) )*"#
                + #"(?:struct|class|enum|protocol|typealias) (\w+)"#,
            as: (Substring, Substring).self)
        let word = try Regex(#"\b[A-Z]\w*"#)
        var owners: [Substring: String] = [:]
        for file in files {
            for line in file.code {
                // What is private to a file concerns no other.
                if line.hasPrefix("private") || line.hasPrefix("fileprivate") { continue }
                if let match = line.firstMatch(of: declaration) {
                    owners[Substring(String(match.output.1))] = Self.part(of: file)
                }
            }
        }
        var parts: [String: Set<String>] = [:]
        for file in files {
            let part = Self.part(of: file)
            for line in file.code {
                for match in line.matches(of: word) {
                    if let owner = owners[line[match.range]], owner != part {
                        parts[part, default: []].insert(owner)
                    }
                }
            }
            parts[part, default: []].formUnion([])
        }
        self.parts = parts
    }

    /// The parts of a cycle, the first again at its end; nil: there is none.
    var cycle: [String]? {
        var finished: Set<String> = []
        for part in parts.keys.sorted() {
            var path: [String] = []
            if let cycle = cycle(from: part, &path, &finished) { return cycle }
        }
        return nil
    }

    private func cycle(
        from part: String, _ path: inout [String], _ finished: inout Set<String>
    ) -> [String]? {
        if finished.contains(part) { return nil }
        if let start = path.firstIndex(of: part) { return path[start...] + [part] }
        path.append(part)
        for next in (parts[part] ?? []).sorted() {
            if let cycle = cycle(from: next, &path, &finished) { return cycle }
        }
        path.removeLast()
        finished.insert(part)
        return nil
    }

    private static func part(of file: SourceTree.File) -> String {
        let name = file.path.split(separator: "/").last?.dropLast(".swift".count) ?? ""
        return String(name.prefix { $0 != "+" })
    }
}
