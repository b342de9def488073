// What Swift cannot call itself: epoll, eventfd, signalfd, pidfd, and the spawn shim.
#pragma once

#include "CLinuxEvents.h"
#include "CLinuxSockets.h"
#include "CLinuxSpawn.h"
