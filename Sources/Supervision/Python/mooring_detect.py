"""Says whether an application is of WSGI or of ASGI, by loading it, where its source does not tell.

It runs by `python -c`, behind `mooring_call` and `mooring_names`, in the place of a process of the group.
"""


def main():
    interface = interface_of(load(sys.argv[1], None))
    # The application may have printed something, and may have begun something that never ends.
    sys.stdout.write("\ninterface\t%s\n" % interface)
    sys.stdout.flush()
    os._exit(0)


def interface_of(application):
    return "asgi" if is_asynchronous(application) else "wsgi"


main()
