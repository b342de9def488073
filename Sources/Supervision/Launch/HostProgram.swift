/// The Python host program of `wsgi` and `asgi` groups, and the modules beside it.
enum HostProgram {
    /// The file to run.
    static let main = "mooring_host.py"

    /// Names in the runtime directory, with their contents.
    static let files: [(name: String, content: [UInt8])] = [
        (main, PackageResources.mooring_host_py),
        ("mooring_asgi.py", PackageResources.mooring_asgi_py),
        ("mooring_asgi_request.py", PackageResources.mooring_asgi_request_py),
        ("mooring_asgi_run.py", PackageResources.mooring_asgi_run_py),
        ("mooring_asgi_servers.py", PackageResources.mooring_asgi_servers_py),
        ("mooring_asgi_socket.py", PackageResources.mooring_asgi_socket_py),
        ("mooring_body.py", PackageResources.mooring_body_py),
        ("mooring_call.py", PackageResources.mooring_call_py),
        ("mooring_children.py", PackageResources.mooring_children_py),
        ("mooring_choice.py", PackageResources.mooring_choice_py),
        ("mooring_errors.py", PackageResources.mooring_errors_py),
        ("mooring_hypercorn.py", PackageResources.mooring_hypercorn_py),
        ("mooring_lifespan.py", PackageResources.mooring_lifespan_py),
        ("mooring_loop.py", PackageResources.mooring_loop_py),
        ("mooring_mount.py", PackageResources.mooring_mount_py),
        ("mooring_names.py", PackageResources.mooring_names_py),
        ("mooring_paste.py", PackageResources.mooring_paste_py),
        ("mooring_request.py", PackageResources.mooring_request_py),
        ("mooring_response.py", PackageResources.mooring_response_py),
        ("mooring_scope.py", PackageResources.mooring_scope_py),
        ("mooring_server.py", PackageResources.mooring_server_py),
        ("mooring_servers.py", PackageResources.mooring_servers_py),
    ]

    /// The program that checks an application before it is served.
    static var probe: String {
        text([
            PackageResources.mooring_call_py, PackageResources.mooring_source_py,
            PackageResources.mooring_probe_py,
        ])
    }

    /// The program that loads an application to see its interface; all in one, it imports nothing of
    /// itself.
    static var detector: String {
        text([
            PackageResources.mooring_call_py, PackageResources.mooring_paste_py,
            PackageResources.mooring_names_py, PackageResources.mooring_detect_py,
        ]).split(separator: "\n", omittingEmptySubsequences: false)
            .filter { !$0.hasPrefix("from mooring_") }.joined(separator: "\n")
    }

    private static func text(_ files: [[UInt8]]) -> String {
        files.map { String(decoding: $0, as: UTF8.self) }.joined(separator: "\n")
    }
}
