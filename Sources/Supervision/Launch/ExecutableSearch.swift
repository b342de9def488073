internal import Glibc

/// Finds a program as execvp(3) would, but for the child's `PATH` and directory.
enum ExecutableSearch {
    /// Where a program may be, in the order in which it is tried; without a look at the disk.
    ///
    /// A program with a slash is taken as it is. Paths are relative to the child's directory unless
    /// they begin with a slash.
    static func candidates(_ name: String, path: String) -> [String] {
        if name.contains("/") { return [name] }
        return path.split(separator: ":", omittingEmptySubsequences: false).map { folder in
            // An empty entry is the current directory.
            folder.isEmpty ? "./\(name)" : "\(folder)/\(name)"
        }
    }

    /// Looks for it as this program's user.
    ///
    /// A file system that does not answer keeps the caller waiting.
    ///
    /// - Returns: what to execute; relative to `directory` unless it begins with a slash.
    /// - Throws: ENOENT, or EACCES when files of the name were found that cannot be executed.
    static func resolve(
        _ name: String, path: String, directory: String
    ) throws(SpawnFailure) -> String {
        // exec says what is wrong with it.
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
