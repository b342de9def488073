internal import Foundation
internal import Testing

/// The project's own files, as the layering tests read them.
struct SourceTree {
    /// A text file by its path from the package's root.
    struct File: Sendable, CustomTestStringConvertible {
        var path: String
        var text: String

        var lines: [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }
        /// Lines without what stands behind `//` and without the inside of `"""`.
        ///
        /// A `//` inside a string is taken for a comment.
        var code: [String] {
            var isInText = false
            return lines.map { line in
                let marks = line.ranges(of: "\"\"\"").count
                defer { if marks % 2 == 1 { isInText.toggle() } }
                guard !isInText else { return "" }
                guard let comment = line.firstRange(of: "//") else { return String(line) }
                return String(line[..<comment.lowerBound])
            }
        }
        /// `Backends` for `Sources/Backends/Time.swift`.
        var target: String { path.split(separator: "/").dropFirst().first.map(String.init) ?? "" }
        /// `Upstreams` for `Upstreams.swift` and for `Upstreams+Own.swift`: a type with its extensions.
        var part: String {
            let name = path.split(separator: "/").last?.dropLast(".swift".count) ?? ""
            return String(name.prefix { $0 != "+" })
        }
        var testDescription: String { path }
    }

    /// The folder of Package.swift.
    static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// Every file below a folder whose name ends in one of the given ways, in the order of paths.
    static func files(in folder: String, endings: [String]) -> [File] {
        let base = root.appendingPathComponent(folder)
        return paths(below: base.path, prefix: folder)
            .filter { path in endings.contains { path.hasSuffix($0) } }
            .compactMap { path in file(path) }
    }

    /// One file; nil when there is none of that name, or it is not text.
    static func file(_ path: String) -> File? {
        let url = root.appendingPathComponent(path)
        guard let text = try? String(contentsOf: url, encoding: .utf8) else { return nil }
        return File(path: path, text: text)
    }

    static let swiftSources = files(in: "Sources", endings: [".swift"])

    /// Follows links to folders, which FileManager's enumerator does not.
    private static func paths(below folder: String, prefix: String) -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.sorted().filter { !$0.hasPrefix(".") && $0 != "__pycache__" }
            .flatMap { name -> [String] in
                var isFolder: ObjCBool = false
                let path = "\(folder)/\(name)"
                guard unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
                else { return [] }
                guard isFolder.boolValue else { return ["\(prefix)/\(name)"] }
                return paths(below: path, prefix: "\(prefix)/\(name)")
            }
    }
}
