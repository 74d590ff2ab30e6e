// libsixel's encoder interface. SPDX-License-Identifier: Apache-2.0
#include <sixel.h>
