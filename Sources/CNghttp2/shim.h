#pragma once
// HTTP/2 frames, header compression and flow control, over memory: no part of it does I/O.
#include <nghttp2/nghttp2.h>
