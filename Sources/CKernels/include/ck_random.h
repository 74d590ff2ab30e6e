// Counter-based random bits. SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdint.h>

/// Philox4x32 with 10 rounds (Salmon et al., SC 2011): 128 random bits for a counter and a key.
void ck_philox4x32(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);
