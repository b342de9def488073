internal import Foundation
internal import Testing

/// What Package.swift declares, against what the sources import.
@Suite struct DependencyTests {
    /// What comes with the toolchain and the system.
    private static let system: Set<String> = [
        "Dispatch", "Foundation", "FoundationEssentials", "Glibc", "Synchronization", "Testing",
    ]

    @Test func `targets declare what they import, and nothing else`() throws {
        let targets = try Self.declared()
        #expect(targets.count > 20)
        for (name, declared) in targets {
            let folder = ["Sources/\(name)", "Tests/\(name)"].first {
                FileManager.default.fileExists(
                    atPath: SourceTree.root.appendingPathComponent($0).path)
            }
            guard let folder else {
                Issue.record("no folder of target \(name)")
                continue
            }
            let files = SourceTree.files(in: folder, endings: [".swift"])
            // Targets of C import by their headers.
            if files.isEmpty { continue }
            let imported = Set(files.flatMap { ImportTests.imports(of: $0).map(\.module) })
                .subtracting(Self.system)
            for module in imported.subtracting(declared).sorted() {
                Issue.record("\(name) imports \(module) and does not declare it in Package.swift")
            }
            for module in declared.subtracting(imported).sorted() {
                Issue.record("\(name) declares \(module) and does not import it")
            }
        }
    }

    /// The dependencies of each target of Package.swift.
    private static func declared() throws -> [(name: String, modules: Set<String>)] {
        let package = try #require(SourceTree.file("Package.swift"))
        let text = package.code.joined(separator: "\n")
        return try text.split(separator: try Regex(#"\.(target|executableTarget|testTarget)\("#))
            .dropFirst().map { block in
                let name = try #require(block.firstMatch(of: #/name: "(\w+)"/#)).output.1
                return (String(name), modules(in: block))
            }
    }

    /// The names in the list behind `dependencies:`, products by their own names.
    private static func modules(in block: Substring) -> Set<String> {
        guard let start = block.firstRange(of: "dependencies: [")?.upperBound else { return [] }
        let list = block[start...].prefix { $0 != "]" }
            .replacing(#/package: ("\w[^"]*"|\w+)/#, with: "")
        return Set(list.matches(of: #/"(\w+)"/#).map { String($0.output.1) })
    }
}
