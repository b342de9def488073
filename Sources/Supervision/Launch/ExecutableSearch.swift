internal import Glibc

/// Finds a program as execvp(3) would, but with the child's `PATH` and directory.
enum ExecutableSearch {
    /// The candidate paths of a program, in the order of the search; does not access the disk.
    ///
    /// A program with a slash is its only candidate. Paths are relative to the child's directory
    /// unless they begin with a slash.
    static func candidates(_ name: String, path: String) -> [String] {
        if name.contains("/") { return [name] }
        return path.split(separator: ":", omittingEmptySubsequences: false).map { folder in
            // An empty entry means the current directory.
            folder.isEmpty ? "./\(name)" : "\(folder)/\(name)"
        }
    }

    /// Searches the program as this program's user.
    ///
    /// Blocks while a file system does not respond.
    ///
    /// - Returns: the path to execute; relative to `directory` unless it begins with a slash.
    /// - Throws: ENOENT, or EACCES when only files without execute permission were found.
    static func resolve(
        _ name: String, path: String, directory: String
    ) throws(SpawnFailure) -> String {
        // exec reports any problem with it.
        if name.contains("/") { return name }
        var found = false
        for candidate in candidates(name, path: path) {
            let file = candidate.hasPrefix("/") ? candidate : "\(directory)/\(candidate)"
            var status = stat()
            guard unsafe stat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
                continue
            }
            if unsafe access(file, X_OK) == 0 { return candidate }
            found = true
        }
        throw SpawnFailure(search: name, path: path, errno: found ? EACCES : ENOENT)
    }
}
