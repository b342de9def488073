internal import Glibc
internal import Logging
internal import Settings

/// Writes to standard output and standard error, outside of the log.
package enum Terminal {
    /// Whether standard output is a terminal.
    package static var isInteractive: Bool { isatty(STDOUT_FILENO) == 1 }

    /// Writes to standard output directly; a closed reader ends the program quietly.
    package static func write(_ text: String) { write(text, to: STDOUT_FILENO) }

    /// Writes to standard error: directly, or through the running balancer's log writer.
    package static func writeError(_ text: String) {
        if let log = ProgramLog.current { return log.append(text) }
        write(text, to: STDERR_FILENO)
    }

    /// Writes one error message, preceded by the program's name.
    package static func complain(_ message: String) { writeError("mooring: \(message)\n") }

    /// Reports why the program ends: an error message, or an event in a JSON log.
    package static func fail(_ message: String) {
        guard logsJSON else { return complain(message) }
        Logger(label: "mooring").critical("\(message)")
    }

    /// Reports the problems of the configuration, one per line.
    package static func report(_ problems: String) {
        guard logsJSON else { return writeError("\(problems)\n") }
        for problem in problems.split(separator: "\n") {
            Logger(label: "mooring").critical("\(problem)")
        }
    }

    private static var logsJSON: Bool { ProgramLog.current?.format == .json }

    /// Untrusted text without control characters, which could control the terminal.
    package static func printable(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0..<0x20, 0x7F..<0xA0, 0x2028...0x202E, 0x2066...0x2069:
                result += "\\u{\(String(scalar.value, radix: 16))}"
            default:
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// Turns escaped colours (`\\x1b[31m`) back into colours if standard error is a terminal, and leaves
    /// them out otherwise.
    ///
    /// Only SGR sequences, which change nothing but the look of text; they are reset at the end of
    /// the text.
    static func coloured(_ text: String) -> String {
        guard isColoured else { return text.replacing(/\\x1b\[[0-9;]*m/) { _ in "" } }
        let coloured = text.replacing(/\\x1b\[([0-9;]*)m/) { "\u{1B}[\($0.1)m" }
        return coloured == text ? text : coloured + "\u{1B}[0m"
    }

    private static let isColoured = isatty(STDERR_FILENO) == 1

    private static func write(_ text: String, to descriptor: Int32) {
        let bytes = Array(text.utf8)
        var written = 0
        while written < bytes.count {
            let count = unsafe bytes[written...].withUnsafeBytes { rest in
                unsafe Glibc.write(descriptor, rest.baseAddress, rest.count)
            }
            if count < 0 && errno == EINTR { continue }
            if count <= 0 { return }
            written += count
        }
    }
}
