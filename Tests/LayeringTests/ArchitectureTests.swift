internal import Foundation
internal import Testing

/// ARCHITECTURE.md names functions, files and targets; each is there.
@Suite struct ArchitectureTests {
    private static func text() throws -> SourceTree.File {
        try #require(SourceTree.file("ARCHITECTURE.md"))
    }

    @Test func `every step of a path is a function of its file`() throws {
        var steps = 0
        for line in try Self.text().lines {
            guard let step = line.prefixMatch(of: #/\d+\. `(\w+)` \(([\w/+.]+)\): ./#) else {
                let isStep = line.prefixMatch(of: #/\d+\. /#) != nil
                #expect(!isStep, "no function: \(line)")
                continue
            }
            steps += 1
            let (name, path) = (String(step.output.1), "Sources/\(step.output.2)")
            guard let file = SourceTree.file(path) else {
                Issue.record("there is no \(path)")
                continue
            }
            let isThere = file.code.contains { $0.contains(#/func (\w+)/#, named: name) }
            #expect(isThere, "\(path) has no function \(name)")
        }
        #expect(steps > 30)
    }

    @Test func `a request passes down through at most eight files and turns back to none`() throws {
        let lines = try Self.text().lines
        let section = lines.drop { $0 != "## A request" }.dropFirst().prefix {
            !$0.hasPrefix("## ")
        }
        var files = section.compactMap { $0.prefixMatch(of: #/\d+\. `\w+` \(([\w/+.]+)\): ./#) }
            .map { String($0.output.1) }
        #expect(files.count > 5)
        for (index, file) in files.enumerated().reversed() where index > 0 {
            if files[index - 1] == file { files.remove(at: index) }
        }
        #expect(files.count <= 8)
        #expect(Set(files).count == files.count, "\(files)")
    }

    @Test func `every file that it names is there`() throws {
        let names = try Self.text().text.matches(of: #/`((Sources|Tests)/[\w/+.]+)`/#)
        #expect(!names.isEmpty)
        for name in names {
            let path = SourceTree.root.appendingPathComponent(String(name.output.1)).path
            #expect(FileManager.default.fileExists(atPath: path), "\(name.output.1)")
        }
    }

    @Test func `every target has its row`() throws {
        let rows = try Self.text().lines.filter { $0.hasPrefix("| `") }
            .compactMap { $0.split(separator: "|").first }
        let listed = Set(rows.flatMap { $0.matches(of: #/`(\w+)`/#).map { String($0.output.1) } })
        let folders = try FileManager.default.contentsOfDirectory(
            atPath: SourceTree.root.appendingPathComponent("Sources").path)
        #expect(listed == Set(folders.filter { !$0.hasPrefix(".") }))
    }
}

extension String {
    fileprivate func contains(_ pattern: Regex<(Substring, Substring)>, named name: String) -> Bool
    {
        matches(of: pattern).contains { $0.output.1 == name }
    }
}
