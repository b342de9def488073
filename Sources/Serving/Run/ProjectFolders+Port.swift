internal import FoundationEssentials

/// The port that a project was served at: its cookies and its visitors' tabs know it.
extension ProjectFolders {
    private var portFile: String { "\(state)/port" }

    /// Of the run before; nil: it is not known.
    var lastPort: UInt16? {
        guard let text = try? String(contentsOfFile: portFile, encoding: .utf8) else { return nil }
        return UInt16(text.filter { $0 != "\n" })
    }

    /// Keeps the port for the next run.
    func remember(port: UInt16) throws {
        if lastPort == port { return }
        try PrivateFiles.prepareFolder(state, setting: "$STATE_DIRECTORY")
        // Without it the next run looks for a free one again.
        try? "\(port)\n".write(toFile: portFile, atomically: true, encoding: .utf8)
    }
}
