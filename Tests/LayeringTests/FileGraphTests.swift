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

    /// A part is one type; that no two parts know each other is the other test's affair.
    @Test func `the files of a part call each other one way`() throws {
        let calls = try CallGraph.parts(of: "ReverseProxy")
        #expect(calls.count > 20)
        for (part, graph) in calls {
            let circle = graph.largestCircle
            #expect(circle.count <= 1, "\(part): \(circle.sorted().joined(separator: ", "))")
        }
    }

    @Test func `the largest circle of files is found`() {
        let graph = CallGraph(calls: [
            "A": ["B"], "B": ["C"], "C": ["B", "D"], "D": ["E"], "E": ["F"], "F": ["D"],
        ])
        #expect(graph.largestCircle == ["D", "E", "F"])
        #expect(CallGraph(calls: ["A": ["B", "C"], "B": ["C"], "C": []]).largestCircle.count < 2)
    }

    @Test func `a call is no declaration, label or another type's function`() throws {
        let files = [
            SourceTree.File(path: "A.swift", text: "func go() {}\nprivate func own() {}"),
            SourceTree.File(path: "A+B.swift", text: "func stay() { other.go(); own(); go: 1 }"),
            SourceTree.File(path: "A+C.swift", text: "func leave() { Self.go() }"),
        ]
        let graph = try CallGraph(files: files)
        #expect(graph.calls["A+B.swift"] == [])
        #expect(graph.calls["A+C.swift"] == ["A.swift"])
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
                    owners[Substring(String(match.output.1))] = file.part
                }
            }
        }
        var parts: [String: Set<String>] = [:]
        for file in files {
            let part = file.part
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
}

/// Which files of one part call functions of which others.
private struct CallGraph {
    /// Each file with those that it calls, itself apart.
    let calls: [String: Set<String>]

    init(calls: [String: Set<String>]) { self.calls = calls }

    /// A graph for each part of a target.
    static func parts(of target: String) throws -> [String: CallGraph] {
        let files = SourceTree.files(in: "Sources/\(target)", endings: [".swift"])
        return try Dictionary(grouping: files, by: \.part).mapValues(CallGraph.init(files:))
    }

    /// A name that a file declares itself is its own function; one behind a dot is another type's.
    init(files: [SourceTree.File]) throws {
        let declaration = try Regex(#"\bfunc (\w+)"#, as: (Substring, Substring).self)
        let call = try Regex(
            #"(\.|self\.|Self\.)?\b([a-z]\w*)(?=\(| \{)"#,
            as: (Substring, Substring?, Substring).self
        ).wordBoundaryKind(.simple)
        var declared: [String: Set<Substring>] = [:]
        var owners: [Substring: Set<String>] = [:]
        for file in files {
            for line in file.code {
                for match in line.matches(of: declaration) {
                    let name = Substring(String(match.output.1))
                    declared[file.path, default: []].insert(name)
                    let isPrivate = line.prefix(upTo: match.range.lowerBound).contains("private")
                    if !isPrivate { owners[name, default: []].insert(file.path) }
                }
            }
        }
        var calls: [String: Set<String>] = [:]
        for file in files {
            calls[file.path] = []
            for line in file.code {
                for match in line.matches(of: call) where match.output.1 != "." {
                    let name = match.output.2
                    if declared[file.path]?.contains(name) == true { continue }
                    calls[file.path]?.formUnion(owners[name] ?? [])
                }
            }
        }
        self.calls = calls
    }

    /// The most files that all reach each other; at most one, if no two do.
    var largestCircle: Set<String> {
        let reached = calls.keys.reduce(into: [String: Set<String>]()) { $0[$1] = reach(from: $1) }
        let circles = calls.keys.sorted().map { file in
            (reached[file] ?? []).filter { reached[$0]?.contains(file) == true }
        }
        return circles.max { $0.count < $1.count } ?? []
    }

    private func reach(from file: String) -> Set<String> {
        var reached: Set<String> = []
        var open = [file]
        while let next = open.popLast() {
            for called in calls[next] ?? [] where reached.insert(called).inserted {
                open.append(called)
            }
        }
        return reached
    }
}
