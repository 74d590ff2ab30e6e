// The part of OpenBLAS that Core uses. SPDX-License-Identifier: Apache-2.0
#include <cblas.h>
