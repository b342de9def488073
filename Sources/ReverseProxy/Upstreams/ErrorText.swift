package import Backends

/// What an application says beside its response, as FastCGI lets it (`FCGI_STDERR`): for its group's log.
package struct ErrorText: Sendable {
    package let group: Int
    package let process: ProcessHandle
    package let label: String
    /// Lines, as they came.
    package let bytes: [UInt8]
}
