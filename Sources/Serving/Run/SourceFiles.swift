internal import FoundationEssentials
internal import Glibc

/// The source files of a project.
///
/// Only these count as a change: files that an application writes itself, such as a database or a
/// log beside its sources, would restart it endlessly. Templates and styles do not count:
/// development servers mostly re-read them for each page, and a restart ends the sessions in
/// memory.
enum SourceFiles {
    /// The last change of a source file.
    struct Change: Equatable {
        /// Relative to the project's folder.
        var file: String
        /// Nanoseconds of wall time.
        var at: Int64
    }

    /// An entry of a folder.
    enum Entry {
        case folder(String)
        case source(String, changedAt: Int64)
    }

    private static let endings: Set<Substring> = [
        "cjs", "env", "ex", "exs", "go", "ini", "java", "js", "jsx", "lua", "mjs", "php", "pl",
        "pm",
        "py", "pyx", "r", "rb", "ru", "rs", "sh", "toml", "ts", "tsx", "wsgi", "yaml", "yml",
    ]
    private static let ignored: Set<String> = [
        "__pycache__", "bower_components", "build", "dist", "node_modules", "public",
        "site-packages", "static", "target",
        "venv", "virtualenv", "env",
    ]
    /// A folder with more is unlikely to be a project; watches are scarce
    /// (fs.inotify.max_user_watches).
    static let mostFolders = 4096

    /// Whether a change of a file with this name counts.
    static func isSource(_ name: String) -> Bool {
        guard let dot = name.lastIndex(of: "."), !name.hasPrefix(".#"), !name.hasSuffix("~") else {
            return name == "Procfile"
        }
        return endings.contains(Substring(name[name.index(after: dot)...].lowercased()))
    }

    /// Whether a folder with this name has sources of the project; hidden folders belong to tools.
    static func hasSources(_ name: String) -> Bool {
        !name.hasPrefix(".") && !ignored.contains(name)
    }

    /// The entries of a folder that count, by name alone.
    static func entries(_ folder: String) -> [Entry] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.compactMap { name in
            var status = stat()
            guard unsafe lstat("\(folder)/\(name)", &status) == 0 else { return nil }
            switch status.st_mode & S_IFMT {
            case S_IFDIR where hasSources(name): return .folder(name)
            case S_IFREG where isSource(name):
                // The inode's time: a file moved into place keeps the modification time of its
                // content.
                let time = status.st_ctim
                return .source(
                    name, changedAt: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
            default: return nil
            }
        }
    }

    /// The latest change below a folder; nil: it has no sources.
    static func lastChange(below folder: String) -> Change? {
        var latest: Change?
        var left = [""]
        var seen = 0
        while let path = left.popLast(), seen < mostFolders {
            seen += 1
            for entry in entries(path.isEmpty ? folder : "\(folder)/\(path)") {
                switch entry {
                case .folder(let name): left.append(joined(path, name))
                case .source(let name, let time) where time > latest?.at ?? .min:
                    latest = Change(file: joined(path, name), at: time)
                case .source: break
                }
            }
        }
        return latest
    }

    /// A name below a path that is relative to the project's folder.
    static func joined(_ path: String, _ name: String) -> String {
        path.isEmpty ? name : "\(path)/\(name)"
    }
}
