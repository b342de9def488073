internal import Foundation
internal import Testing

/// The form of files that no tool checks.
@Suite struct FormTests {
    @Test func `no file is longer than 400 lines`() {
        let endings = [".swift", ".c", ".h", ".py"]
        for folder in ["Sources", "Tests", "Examples", "Scripts"] {
            for file in SourceTree.files(in: folder, endings: endings) where file.lines.count > 401
            {
                Issue.record("\(file.path) has \(file.lines.count) lines")
            }
        }
    }

    @Test func `nothing is public`() throws {
        let pattern = try Regex(#"\b(public|open) (\w+ )*(func|var|let|struct|class|enum|init)\b"#)
        for file in SourceTree.swiftSources {
            for (index, line) in file.code.enumerated() where line.firstMatch(of: pattern) != nil {
                Issue.record("\(file.path):\(index + 1): use package; no library is sold here")
            }
        }
    }

    /// Operators and witnesses of the standard library's protocols say what they do by their names.
    @Test func `every package type and function has a doc comment`() throws {
        let types = try Regex(
            #"^\s*package (\w+ )*?(struct|class|enum|protocol|actor|func) (?!encode\(to|hash\(into|next\(\) ->)\w+"#
        )
        for file in SourceTree.swiftSources {
            let lines = file.lines
            for (index, line) in lines.enumerated() where line.prefixMatch(of: types) != nil {
                var above = index - 1
                while above >= 0, Self.isAttribute(lines[above]) { above -= 1 }
                if above >= 0, Self.isDocumentation(lines[above]) { continue }
                Issue.record("\(file.path):\(index + 1): no doc comment: \(line)")
            }
        }
    }

    @Test func `the changelog has the newest on top and known sections`() throws {
        let changelog = try #require(SourceTree.file("CHANGELOG.md"))
        let sections: Set<Substring> = [
            "### Added", "### Changed", "### Fixed", "### Removed", "### Security",
        ]
        let release = try Regex(
            #"## \[\d+\.\d+\.\d+\] - (\d{4}-\d{2}-\d{2}|not yet released)"#)
        let headings = changelog.lines.filter { $0.hasPrefix("#") }
        #expect(headings.first == "# Changelog")
        #expect(headings.dropFirst().first == "## [Unreleased]")
        for heading in headings.dropFirst(2) {
            let isKnown = sections.contains(heading) || heading.wholeMatch(of: release) != nil
            #expect(isKnown, "CHANGELOG.md: \(heading)")
        }
        let versions = headings.filter { $0.wholeMatch(of: release) != nil }.map(Self.version)
        for (newer, older) in zip(versions, versions.dropFirst()) {
            #expect(older.lexicographicallyPrecedes(newer), "CHANGELOG.md: newest first")
        }
    }

    @Test func `no file names a place that only one machine has`() {
        // In two pieces, so that this file does not break its own rule.
        let places = ["/wo" + "rk/", "/tmp/bri" + "ef", "/tmp/min" + "i-", "/ho" + "me/"]
        let folders = ["Sources", "Tests", "Scripts", "Examples", ".ci"]
        let files =
            folders.flatMap { SourceTree.files(in: $0, endings: [""]) }
            + ["README.md", "CHANGELOG.md", "Package.swift"].compactMap(SourceTree.file)
        #expect(!files.isEmpty)
        for file in files {
            for (index, line) in file.lines.enumerated() {
                for place in places where line.contains(place) {
                    Issue.record("\(file.path):\(index + 1): \(line)")
                }
            }
        }
    }

    private static func isAttribute(_ line: Substring) -> Bool {
        line.drop { $0 == " " }.hasPrefix("@")
    }

    private static func isDocumentation(_ line: Substring) -> Bool {
        line.drop { $0 == " " }.hasPrefix("///")
    }

    private static func version(of heading: Substring) -> [Int] {
        heading.split(separator: " ").dropFirst().first?
            .trimmingPrefix("[").split(separator: "]").first?
            .split(separator: ".").compactMap { Int($0) } ?? []
    }
}
