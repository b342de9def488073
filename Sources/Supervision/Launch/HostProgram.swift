/// The Python host program of `wsgi` groups, and the modules beside it.
enum HostProgram {
    /// The file to run.
    static let main = "mooring_host.py"

    /// Names in the runtime directory, with their contents.
    static let files: [(name: String, content: [UInt8])] = [
        (main, PackageResources.mooring_host_py),
        ("mooring_body.py", PackageResources.mooring_body_py),
        ("mooring_call.py", PackageResources.mooring_call_py),
        ("mooring_children.py", PackageResources.mooring_children_py),
        ("mooring_errors.py", PackageResources.mooring_errors_py),
        ("mooring_mount.py", PackageResources.mooring_mount_py),
        ("mooring_names.py", PackageResources.mooring_names_py),
        ("mooring_request.py", PackageResources.mooring_request_py),
        ("mooring_response.py", PackageResources.mooring_response_py),
        ("mooring_server.py", PackageResources.mooring_server_py),
        ("mooring_servers.py", PackageResources.mooring_servers_py),
    ]

    /// The program that checks an application before it is served.
    static var probe: String {
        [
            PackageResources.mooring_call_py, PackageResources.mooring_source_py,
            PackageResources.mooring_probe_py,
        ].map { String(decoding: $0, as: UTF8.self) }.joined(separator: "\n")
    }
}
