# The door for npm, node-gyp and prebuildify. What is built, and how, is in native/CMakeLists.txt; this file only runs
# that build and puts keywright.node where these tools look for it.
{
  "targets": [
    {
      "target_name": "keywright",
      "type": "none",
      "actions": [
        {
          "action_name": "cmake",
          "inputs": [],
          # A file that never comes to be, so that cmake is asked every time whether there is something to do.
          "outputs": ["<(PRODUCT_DIR)/.always"],
          "action": ["script/addon", "<(PRODUCT_DIR)"],
        },
      ],
    },
  ],
}
