// What Swift cannot call itself: epoll, eventfd, signalfd, pidfd, SCM_RIGHTS, and the spawn shim.
#pragma once

#include "CLinuxDiagnosis.h"
#include "CLinuxEvents.h"
#include "CLinuxFiles.h"
#include "CLinuxGuardian.h"
#include "CLinuxNotify.h"
#include "CLinuxServedFiles.h"
#include "CLinuxService.h"
#include "CLinuxSockets.h"
#include "CLinuxSpawn.h"
